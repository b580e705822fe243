/* nat_help.h - what a gateway says of itself, and a load behind one.
 *
 * Errors: whatever fails, fails the test.
 */
#pragma once

#include "drive/drive.h"
#include "judge/judge.h"
#include "lab_help.h"

/* Of /proc/net/stat/nf_conntrack there, all processors together. */
struct tracked_now {
	unsigned long entries, insert_failed, drop;
};

struct tracked_now tracked(struct help *h);

/* What `nft list` prints of an object, such as "counter ip lastport unmapped"; until the next call. */
const char *nft_says(struct help *h, const char *object);

/* Of endpoint-independent mapping: the elements of a protocol's set; "" where there is none. */
const char *nft_mappings(struct help *h, const char *protocol);

enum { CROWD_MOST = 256, PATIENCE = 10000 /* ms */ };

/* Connections of the client, begun by the test itself. */
struct crowd {
	unsigned from, to; /* of fd */
	uint32_t source;   /* of the plan */
	uint32_t dest;
	int fd[CROWD_MOST];
};

/* `n` more, towards one destination; the others of fd are left alone until crowd's end. */
void crowd_begin(struct help *h, struct crowd *c, uint32_t dest, unsigned n);
unsigned crowd_established(const struct crowd *c); /* of those begun last */

/* Until so many are established and the gateway has dropped so many SYNs. */
bool crowd_await(struct help *h, const struct crowd *c, unsigned open, unsigned dropped);

struct listeners {
	int fd[4];
};

/* A lab whose server listens on each of its services. */
void gateway_open(struct help *h, struct listeners *l, const char *lines);
void gateway_close(struct help *h, struct listeners *l, struct crowd *c);

/* A load that has run in a lab, which the test closes. */
struct behind {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	struct measures measures;
};

void behind_run(struct behind *b, const char *lines);
uint64_t behind_measured(const struct behind *b, enum measure what);
