/* spans.h - the times between packets of one kind and another, by the kernel's own stamps (packets.h).
 *
 * Units: nanoseconds.
 */
#pragma once

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packets.h"

/* Realtime may be slewed by 500 ppm while a time runs (adjtimex(2)). */
#define SLEWED(ns) ((ns) - (ns) / 1000)

enum { SPANS_MOST = 256 };

enum sign { SYN, FIN, RST, FAR_FIN, REQUEST, ANSWER };

/* From one to the next, of the same port of the client or of whichever; from the first of all to the
 * last; from the last to the last. */
enum between { SAME_PORT, ANY_PORT, FIRST_TO_LAST, LAST_TO_LAST };

struct spans {
	size_t count;
	int64_t list[SPANS_MOST];
};

bool packet_is(const struct packet *p, enum sign sign);
const struct packet *packet_last(const struct packets *all, enum sign sign); /* there is one */
const struct packet *packet_next(const struct packets *all, size_t i, enum sign sign,
				 bool same_port);

void spans_sort(struct spans *s); /* the shortest first */
void spans_add(struct spans *s, int64_t ns);
void spans_collect(struct spans *s, const struct packets *all, enum sign from, enum sign to,
		   enum between between);

/* None is shorter than it may be; where what begins it may itself have waited, half of them are not.
 * The shortest, or that, is no longer than half as much again. */
bool spans_are(struct spans *s, int64_t ns, bool exact);
