/* Whatever /proc holds, the parser of counters stays within it, and gives each name once with
 * one value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/counters.h"

static void look_at_prefix(void *unused, struct text name, uint64_t value)
{
	(void)unused, (void)value;
	if (name.len < 3 || name.len > 63)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *file, struct text name, uint64_t value)
{
	const struct text *whole = file;

	(void)value;
	if (name.s < whole->s || name.s + name.len > whole->s + whole->len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1);
	struct text file = {exact, size};

	if (!exact)
		abort();
	memcpy(exact, data, size);
	counters_parse(file, TEXT("Tcp: "), look, &file);
	counters_parse(file, TEXT("TcpExt: "), look, &file);
	counters_parse_udp(file, look_at_prefix, NULL);
	free(exact);
	return 0;
}
