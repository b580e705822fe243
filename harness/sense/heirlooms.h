/* heirlooms.h - sockets that are no longer this process's, but that of a child that has inherited
 * them.
 *
 * Who gives one away tells so here, from any thread; the sampler reads it while others come. No scan
 * of /proc could see them: what a process that has changed its user has open is nobody's to look into.
 *
 * Ownership: the list is in the arena, sized once.
 * Errors:    from one on that finds no room it is not known of the others whose they are.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct heirloom {
	_Atomic uint32_t inode; /* written last; 0: not yet */
	int32_t pid, fd;	/* whose it is, and its descriptor there */
};

struct heirlooms {
	struct heirloom *list;
	uint32_t room;
	_Atomic uint32_t count; /* may for a moment be more than there is room for */
	_Atomic bool lost;	/* one found none */
};

bool heirlooms_open(struct heirlooms *h, uint64_t most, struct arena *); /* false: no room */
void heirlooms_add(struct heirlooms *h, uint32_t inode, int32_t pid, int32_t fd);
