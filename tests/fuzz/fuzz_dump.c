/* Whatever a netlink socket hands out, the parser of socket dumps stays within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sockets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *count, const struct socket_seen *seen)
{
	*(unsigned *)count += seen->local_port + seen->state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1); /* ASan sees what is read beyond it */
	unsigned count = 0;
	const struct dump_ask any = {0};
	struct err err = {0};
	bool torn = false;

	if (!exact)
		abort();
	memcpy(exact, data, size);
	if (dump_parse(exact, size, &any, look, &count, &torn, &err) == DUMP_BROKEN &&
	    err.kind == ERR_NONE)
		abort(); /* broken without a reason */
	free(exact);
	return 0;
}
