/* replay.c - a fuzz target without a fuzzer: runs it once on each file named, so that every
 * find stays found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The whole file in a heap block of its exact size, so that a sanitizer sees a read past it. */
static uint8_t *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
		data = malloc(size ? (size_t)size : 1);
		*len = (size_t)size;
		if (data && fread(data, 1, *len, f) != *len) {
			free(data);
			data = NULL;
		}
	}
	fclose(f);
	return data;
}

/* A target that finds something aborts: the count is then never printed, and run.sh takes that
 * for the failure it is. */
int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	int passed = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		size_t len = 0;
		uint8_t *data = slurp(argv[i], &len);

		if (!data) {
			printf("could not read %s\n", argv[i]);
			failed++;
			continue;
		}
		LLVMFuzzerTestOneInput(data, len);
		free(data);
		passed++;
	}
	printf("%s: %d passed, %d failed, 0 skipped\n", name, passed, failed);
	return failed || passed == 0;
}
