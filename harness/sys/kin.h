/* kin.h - a process and its children, and theirs: who was one of them stays one, whoever is its parent
 * later.
 *
 * Input:  /proc/PID/stat of all processes that are shown to us.
 * Cost:   20 us a process.
 * Errors: none: a process that ends while it is looked at is none, and one that came and went between
 *         two looks was never seen. Who has ended is one for two minutes more. More than there is room
 *         for are left out, and `partial` is true.
 * Source: proc(5). A pid may be given again: who has it then began later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct kinsman {
	int32_t pid, parent;
	uint64_t began;	 /* in clock ticks since the machine's start */
	int64_t seen_ns; /* by the last look that it was there for */
	bool is_one;
	bool is_told; /* of whom that is known */
};

struct kin {
	struct kinsman *all;		     /* of the last look */
	struct kinsman *known;		     /* of them, and of those that ended lately, the kin */
	uint32_t *all_places, *known_places; /* of these by pid */
	uint32_t count, known_count;
	int32_t pid; /* whose */
	bool ended;  /* and is no more */
	bool partial;
};

bool kin_open(struct kin *k, int32_t pid, struct arena *); /* false: no room */
void kin_look(struct kin *k);
bool kin_has(const struct kin *k, int32_t pid); /* or had it, and has ended */

/* The parser behind it: "12 (a name) S 1 …". False: it is no such line. */
bool kin_parse(const char *line, struct kinsman *out);
