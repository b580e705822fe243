/* Whatever a netlink socket hands out, the parsers of a gateway's counters stay within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/conntrack.h"
#include "sys/nft_counter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1); /* ASan sees what is read beyond it */
	struct conntrack_counts counts = {0};
	struct err err = {0};
	uint64_t packets = 0;

	if (!exact)
		abort();
	memcpy(exact, data, size);
	if (conntrack_parse(exact, size, &counts, &err) == CONNTRACK_BROKEN && err.kind == ERR_NONE)
		abort(); /* broken without a reason */
	err = (struct err){0};
	if (!nft_counter_parse(exact, size, &packets, &err) && err.kind == ERR_NONE)
		abort();
	free(exact);
	return 0;
}
