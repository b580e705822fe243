/* scene.h - a client with sockets in every state that stays, and what the sampler says of them.
 *
 * Half of the states come by themselves; the others only while no packet passes the link any more.
 */
#pragma once

#include "base/portset.h"
#include "lab_help.h"
#include "sense/census.h"

/* How many are brought into each state. Those of the second half come into theirs while no packet
 * passes: the first FIN, or SYN, is never answered. */
struct wanted {
	int state, n;
	bool needs_silence;
	const char *ss; /* what ss calls it */
};

enum { WANTED = 8, ALL = 21, BOUND_ALONE = 2, HALF_OPEN = 3 };

extern const struct wanted wanted[WANTED];

struct scene {
	struct help h;
	enum family family;
	int listener, client[ALL], server[ALL], bound[BOUND_ALONE], in_range, half_open[HALF_OPEN];
	uint16_t ports[ALL]; /* that the kernel gave */
	int count;
	bool silent;
	/* By ss: how many in each state, ports towards the service, and the seconds that TIME_WAIT
	 * has left, the least and the most. */
	unsigned seen_by_ss[WANTED], half_open_by_ss;
	struct portset ports_by_ss;
	int next_by_ss, all_by_ss;
};

struct scene_look {
	struct census *census;
	struct sample sample;
	struct usage usages[USAGES_MOST];
	struct portmap map;
	bool from_proc, ok;
};

/* For TEST_UNLESS: NULL, or what this machine lacks. */
const char *scene_cannot(void);
const char *scene_has_no_ss(void);

void scene_open(struct scene *s, enum family family);
void scene_close(struct scene *s);
void scene_be_silent(struct scene *s); /* from here on no packet passes */

/* Until all are in their states: those of the second half, too, once there is silence. */
void scene_await(struct scene *s, struct scene_look *l, bool silent);
void scene_look(struct scene *s, struct scene_look *l);

uint16_t scene_port(int fd); /* that the kernel gave */

/* For help_inside(), in the client's namespace: of a struct scene, and of a struct scene_look. */
void scene_ask_ss(struct help *h, void *context);
void scene_look_inside(struct help *h, void *context);
