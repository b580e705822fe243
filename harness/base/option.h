/* option.h - a socket option as a value, so that whoever plans a load says it once, and whoever
 * asks the kernel only passes it on.
 *
 * Ownership: `value` is borrowed, and must stay as long as the option is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct option {
	int level, name;
	const void *value;
	uint32_t len;
	bool needs_rights; /* CAP_NET_ADMIN, which the load's threads have not */
};
