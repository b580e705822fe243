/* rule.h - the causes' rules: a row for each line of words/causes.def, in families by what they
 * look at.
 *
 * A rule goes by what a tape shows: measures, samples, events, the books; by the settings of the
 * client's namespace; and by what the client itself is told to do. What the far end is told to
 * do is not asked: it must show.
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

enum { RULE_SEEN_MOST = 6 };

struct rule {
	enum cause cause;
	/* A cause that this one is a closer name of: if both hold, only this one is told; 0: none. */
	enum cause instead;
	struct claim (*claim)(const struct evidence *);
	/* What the figures add to what is said of it always; NULL: nothing. */
	void (*advise)(struct finding *, const struct evidence *);
	enum measure seen[RULE_SEEN_MOST]; /* what to show as evidence; ends with a 0 */
	const char *attempt[ADVICE_MOST];  /* what to try first, whatever the figures are */
	const char *in_vain[ADVICE_MOST];  /* what was seen recommended, and why it is in vain */
};

#define RULES_END \
	{ \
		.claim = NULL \
	}

extern const struct rule leak_rules[];	/* connections that nobody closes hold the ports */
extern const struct rule live_rules[];	/* those in use do, or on their way */
extern const struct rule churn_rules[]; /* closed ones do */
extern const struct rule pool_rules[];	/* closed ones do, since they were not kept */
extern const struct rule knob_rules[];	/* a setting about TIME_WAIT is not what it was taken for */
extern const struct rule share_rules[]; /* several loads use the same ports */
extern const struct rule
	bound_rules[]; /* it lies in who bound what: before a connect, or instead */
extern const struct rule fixed_rules[];	   /* the program names its ports */
extern const struct rule range_rules[];	   /* the range itself is small */
extern const struct rule start_rules[];	   /* a server cannot have its port */
extern const struct rule datagram_rules[]; /* UDP */
extern const struct rule nat_rules[];	   /* a gateway drops them */
extern const struct rule alike_rules[];	   /* it only looks like a want of ports */
extern const struct rule data_rules[];	   /* none of the others knows */
extern const struct rule gate_rules[];	   /* lines of `expect` that nothing else is told of */
extern const struct rule address_rules[];  /* EADDRNOTAVAIL of an address */

/* Of all families; NULL: the cause has none. */
const struct rule *rule_find(enum cause cause);

static const struct claim no_claim = {.weight = 0};

/* The failures for want of a port that the holders of `held` ports of the client's own explain: by their share
 * of all that are held, and of what is left of the range, however few others have left. Without any failure of the
 * driver's own, it is 1 that is explained: that they ran out, or that a line of `expect` allows fewer. */
double claim_holds(const struct evidence *e, uint64_t held, const struct holders *h);

/* The failures that `taken` ports explain, which nobody of the client's holds, and the loads cannot have: by
 * their share of the range. Behind what the client closes, where that would fill those as well. */
double claim_takes(const struct evidence *e, uint64_t taken);

/* Before whoever holds the ports: they would not hold them all without this. */
double claim_first(const struct evidence *e);

/* Failures of one kind, which are not for want of a port: `what` says why instead. */
struct claim claim_alike(const struct evidence *e, enum stage stage, int error, const char *what);
struct claim claim_alike_of(const struct evidence *e, uint64_t n, enum stage stage, int error,
			    const char *what); /* so many of them */

/* The failures that TIME_WAIT explains, and its words: who waits, how long, what goes on for ever. */
double claim_churn(const struct evidence *e);
const char *say_churn(const struct evidence *e);

/* "60 s", "(0.1 s open + 60 s)", "10.2 s (the mean of these loads)": what a connection takes of a port. */
const char *say_life(const struct evidence *e);

/* Of all that was closed the share of loads for which the rules of pool.c have a closer name, a storm of tries
 * included: what is left is told as churn, if it is as much as they ask for. */
double claim_share_of_pools(const struct evidence *e);
#define POOL_SHARE_LEAST (1 / 8.)

/* What is wrong about churn whatever it comes from; and what of it is in the kernel's power. */
#define FIN_TIMEOUT_IN_VAIN \
	"net.ipv4.tcp_fin_timeout: it governs FIN_WAIT2; TIME_WAIT is 60 s in the kernel's " \
	"source, and no sysctl changes it"

/* And what is wrong about that where connections are open. */
#define ABOUT_CLOSED \
	"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these " \
	"are open"
