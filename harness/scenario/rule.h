/* rule.h - one rule about keys, for the files that keep lists of them: rules_load.c is about a load
 * by itself, rules_server.c about the far end, rules_ports.c about ports and who takes them,
 * rules_network.c about addresses, rules_udp.c about what UDP lacks, rules_sample.c about what is
 * measured. rules.c checks them all.
 */
#pragma once

#include <stddef.h>

#include "scenario/scenario.h"

struct rule {
	bool (*broken)(const struct scenario *s);
	size_t at[3]; /* offsets of the marks of two keys, or of three; 0: there is no third */
	const char *what, *hint;
};

#define AT(section, key) offsetof(struct scenario, section.at.key)

struct rules {
	const struct rule *list;
	size_t count;
};

#define RULES(list) \
	{ \
		list, sizeof(list) / sizeof((list)[0]) \
	}

extern const struct rules rules_of_load, rules_of_server, rules_of_ports, rules_of_network,
	rules_of_udp, rules_of_samples;

static inline bool is_later(struct mark a, struct mark b)
{
	return a.line != b.line ? a.line > b.line : a.col > b.col;
}

/* Has a case, or one of `loads`, taken back by this key what another says, which it has of the base
 * or of `load`? Then it need not take that back too. */
static inline bool is_taken_back(const struct scenario *s, struct mark key, struct mark by)
{
	bool in_case = s->case_at.line && is_later(s->case_at, key) && is_later(by, s->case_at);

	return in_case || (s->loads.count > 0 && is_later(by, key));
}

static inline bool squats(const struct scenario *s)
{
	return s->squat.listen.count || s->squat.ports.count || s->squat.bind || s->squat.unbound;
}
