/* rule.h - the causes' rules: a row for each line of words/causes.def, in families by what they
 * look at.
 *
 * Ownership: texts are in the evidence's arena.
 */
#pragma once

#include "judge/advice.h"
#include "judge/evidence.h"
#include "judge/say.h"

/* A rule says whether a cause holds, why, and how many failures it explains. */
struct claim {
	double weight; /* 0: it does not hold */
	struct text why;
};

struct rule {
	enum cause cause;
	struct claim (*claim)(const struct evidence *);
	/* What the figures add to what is said of it always; NULL: nothing. */
	void (*advise)(struct finding *, const struct evidence *);
	const char *attempt[ADVICE_MOST]; /* what to try first, whatever the figures are */
	const char *in_vain[ADVICE_MOST]; /* what was seen recommended, and why it is in vain */
};

#define RULES_END \
	{ \
		.claim = NULL \
	}

extern const struct rule live_rules[];	/* connections hold the ports */
extern const struct rule churn_rules[]; /* closed ones do */
extern const struct rule
	bound_rules[];		      /* it lies in who bound what: before a connect, or instead */
extern const struct rule nat_rules[]; /* a gateway drops them */
extern const struct rule alike_rules[]; /* it only looks like a want of ports */

/* The failures for want of a port that the holders of `held` ports explain: by their share of all
 * that are held. Without any failure of the driver's own, it is 1 that is explained. */
double claim_explains(const struct evidence *e, uint64_t held, uint64_t all);

/* Failures of one kind, which are not for want of a port: `what` says why instead. */
struct claim claim_alike(const struct evidence *e, enum stage stage, int error, const char *what);

/* Does the gateway say that it dropped packets for want of a port, or of room in its table? */
bool gateway_lacks_ports(const struct evidence *e);
bool gateway_is_full(const struct evidence *e);
