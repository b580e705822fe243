/* Whatever a netlink socket hands out, the parser of sockets in TIME_WAIT stays within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/waiting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *count, const struct waiting *w)
{
	*(unsigned *)count += w->local_port + w->id.idiag_cookie[1];
}

static void parse(const uint8_t *data, size_t size, struct waiting_answers answers)
{
	char *exact = malloc(size ? size : 1); /* ASan sees what is read beyond it */

	if (!exact)
		abort();
	memcpy(exact, data, size);
	waiting_parse(exact, size, &answers);
	if (answers.error < 0 || (answers.error && !answers.errors))
		abort(); /* an error that is none, or is not counted */
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned count = 0;

	parse(data, size, (struct waiting_answers){.each = look, .context = &count});
	parse(data, size, (struct waiting_answers){0});
	return 0;
}
