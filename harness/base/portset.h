/* portset.h - a set of ports, a bit each.
 *
 * Units:  ports in host order, both ends of a range included.
 * Errors: none; pure. What is no list of ports ends where it stops being one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ports.h"
#include "base/text.h"

enum { PORTSET_WORDS = (UINT16_MAX + 1) / 64 };

struct portset {
	uint64_t words[PORTSET_WORDS];
};

static inline bool portset_has(const struct portset *s, uint16_t port)
{
	return s->words[port / 64] >> port % 64 & 1;
}

static inline void portset_add(struct portset *s, uint16_t port)
{
	s->words[port / 64] |= UINT64_C(1) << port % 64;
}

void portset_add_range(struct portset *s, struct port_range range);
void portset_join(struct portset *s, const struct portset *other);
void portset_leave(struct portset *s, const struct portset *other); /* what the other has, too */
uint32_t portset_count(const struct portset *s, struct port_range range);

/* A list such as "40000-40003,40010", as the kernel prints ip_local_reserved_ports. */
void portset_read(struct portset *s, struct text list);
