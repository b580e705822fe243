/* Whatever a line of /proc/net/tcp is, its reader stays within it, and hands out only states that
 * there are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/procnet.h"
#include "tape/tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1); /* ASan sees what is read beyond it */
	struct text rest = {exact, size}, line;
	struct socket_seen seen;
	bool more;

	if (!exact)
		abort();
	memcpy(exact, data, size);
	do {
		more = text_cut(&rest, '\n', &line);
		if (procnet_parse(more ? line : rest, size % 2, &seen) &&
		    (seen.state == 0 || seen.state >= STATES || seen.gone_ns < -1))
			abort();
	} while (more);
	free(exact);
	return 0;
}
