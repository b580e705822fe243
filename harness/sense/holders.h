/* holders.h - who holds the ports towards a destination.
 *
 * The kernel names no owner of a socket in TIME_WAIT: nobody has a descriptor of it. But its
 * cookie is that of the connection it was, so who was seen to have that is remembered: by its name
 * and pid, though the process may be no more.
 *
 * Input:     the sockets that a census has counted; processes, from /proc.
 * Ownership: tables in the arena, sized once. What does not fit is forgotten, the oldest first
 *            of those in its way.
 * Cost:      a scan of everybody's descriptors, if it is not left out (sys/owners.h).
 */
#pragma once

#include "sense/census.h"
#include "sense/heirlooms.h"
#include "sys/owners.h"

struct holders {
	struct owners owners;
	struct remembered *memory;
	uint32_t looks;
	bool ours;			   /* sockets that nobody else has are this load's */
	const struct heirlooms *heirlooms; /* set it before a scan where some are inherited */
};

/* False: no room. In a network of our own, `ours`. */
bool holders_open(struct holders *h, bool ours, struct arena *);

/* Looks who has which descriptor, where they are ours by the heirlooms alone; then tells of each of
 * the fullest destinations that census_tell() gave last. */
void holders_scan(struct holders *h);

/* Of each destination, what those processes have that `is_one` says are meant. */
void holders_mark(struct holders *h, struct census *c, bool (*is_one)(const void *, int32_t pid),
		  const void *whose);
void holders_tell(struct holders *h, const struct census *c, struct usage *usages, uint32_t n);
