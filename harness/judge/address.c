#include <errno.h>

#include "judge/rule.h"

/* EADDRNOTAVAIL has two meanings. Of a bind() it is always the address; of a connect(), where the
 * driver has asked UDP, from a port of its own. Beside a want of ports it is of the loads that have none. */
static struct claim claim_address(const struct evidence *e, const char *what)
{
	static const char two_meanings[] = "EADDRNOTAVAIL has two meanings: here ",
			  comes_first[] =
				  "Without a port UDP says so before it looks for an address; with "
				  "one it is EADDRNOTAVAIL: ";
	uint64_t at_bind = evidence_errors(e, STAGE_BIND, EADDRNOTAVAIL),
		 at_connect = e->homeless > 0 ? e->homeless : e->portless;
	const char *lead = at_bind + e->homeless > 0 ? two_meanings : comes_first;

	what = text_format(e->a, "%s%s", lead, what).s;
	if (at_bind > 0)
		return claim_alike(e, STAGE_BIND, EADDRNOTAVAIL, what);
	if (!evidence_has(e, EVENT_NO_ADDRESS))
		return no_claim;
	return claim_alike_of(e, at_connect, STAGE_CONNECT,
			      e->homeless > 0 ? EADDRNOTAVAIL : EAGAIN, what);
}

/* Of these loads, is any that lacks its address one of IPv6? */
static bool is_ipv6(const struct evidence *e)
{
	bool some = e->load->family == FAMILY_IPV6;

	for (size_t i = 0; i < e->plan->load_count; i++)
		some |= e->plan->loads[i].ipv6_off;
	return some;
}

static struct claim foreign_address(const struct evidence *e)
{
	return claim_address(e, "the source address is not on this host, or not yet usable.");
}

/* By the loads of IPv6: what those of IPv4 opened says nothing of it. */
static uint64_t opened_by_ipv6(const struct evidence *e)
{
	uint64_t n = 0;

	if (e->plan->load_count == 1)
		return e->tape->tally.opened;
	for (size_t i = 0; i < e->tape->load_count && i < e->plan->load_count; i++)
		if (e->plan->loads[i].family == FAMILY_IPV6)
			n += e->tape->loads[i].tally.opened;
	return n;
}

static bool ipv6_is_off(const struct evidence *e)
{
	return evidence_sysctl(e, "net.ipv6.conf.all.disable_ipv6", 0) != 0;
}

/* It never worked, and no port was in use. */
static struct claim ipv6_disabled(const struct evidence *e)
{
	bool is_off = ipv6_is_off(e);

	if (!is_ipv6(e) || opened_by_ipv6(e) > 0 ||
	    (!is_off && evidence_errors(e, STAGE_BIND, EADDRNOTAVAIL) > 0))
		return no_claim;
	return claim_address(
		e, text_format(e->a,
			       "IPv6 has no address to connect from%s. It was so from the first "
			       "call on%s.",
			       is_off ? " (net.ipv6.conf.all.disable_ipv6 is 1)"
				      : ", since it is off or the interface is down",
			       e->homeless > 0 ? ", and a UDP connect, which needs no port of TCP, "
						 "had the same answer"
					       : "")
			   .s);
}

/* Did the load lack an address? Of a connect() only where no port was wanted: the errno is the same. */
static bool lacks_address(const struct evidence *e, const struct tally *t)
{
	bool at_connect = !e->tape->exhausted && t->errors[STAGE_CONNECT][EADDRNOTAVAIL] > 0;

	return t->errors[STAGE_BIND][EADDRNOTAVAIL] > 0 || at_connect;
}

/* Of the loads of IPv6 that had no address: what others opened was from one of theirs. */
static uint64_t opened_in_the_end(const struct evidence *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->plan->load_count; i++) {
		const struct tally *t = evidence_tally(e->plan, e->tape, i);

		if (e->plan->loads[i].family == FAMILY_IPV6 && lacks_address(e, t))
			n += t->opened;
	}
	return n;
}

/* It did work later, without anything done about it. */
static struct claim ipv6_tentative(const struct evidence *e)
{
	uint64_t opened = opened_in_the_end(e);

	if (!is_ipv6(e) || ipv6_is_off(e) || (opened == 0 && !e->plan->scenario->network.dad))
		return no_claim;
	return claim_address(
		e, text_format(e->a,
			       "the address was there, and could not be used yet: an "
			       "IPv6 address is tentative "
			       "until nobody else has claimed it (RFC 4862, 5.4), a "
			       "second or two.%s",
			       opened ? text_format(e->a, " Later %s.",
						    say_number_of(e->a, opened, "connection opened",
								  "connections opened"))
						.s
				      : "")
			   .s);
}

/* Of a client whose addresses are link-local, and whose scope is not their link: of one that names the
 * link a want of ports, or of an address, is what it is elsewhere. */
static struct claim link_local(const struct evidence *e)
{
	static const struct {
		enum stage stage;
		int error;
	} kinds[] = {{STAGE_BIND, EINVAL},
		     {STAGE_CONNECT, EINVAL},
		     {STAGE_BIND, EADDRNOTAVAIL},
		     {STAGE_CONNECT, EADDRNOTAVAIL},
		     {STAGE_CONNECT, ENETUNREACH}};
	const char *link = load_link(e->load->load), *what;
	struct claim most = no_claim;

	if (!e->load->unscoped)
		return no_claim;
	what = text_format(e->a,
			   "An address of fe80::/10 is of one link, and means nothing without its "
			   "interface (sin6_scope_id): the program named %s.",
			   link ? link : "none")
		       .s;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct claim c = claim_alike(e, kinds[i].stage, kinds[i].error, what);

		most = c.weight > most.weight ? c : most;
	}
	return most;
}

// clang-format off
#define SAME_ERRNO \
	"a wider port range, net.ipv4.tcp_tw_reuse: the errno is the same, the reason is not"

const struct rule address_rules[] = {
	{
		.cause = CAUSE_FOREIGN_ADDRESS,
		.claim = foreign_address,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"bind an address that `ip address` shows, or none: a cloud's public address is not on the host, and "
			"a name in /etc/hosts can be stale",
			"wait until the interface is up (network-online.target)",
		},
		.in_vain = {
			SAME_ERRNO,
			"trying again: the address will not come by itself",
			"net.ipv4.ip_nonlocal_bind=1: bind() passes then, and connect() fails, for nothing can be sent from an "
			"address that is not here; it lets a server listen on one before it comes",
		},
	},
	{
		.cause = CAUSE_IPV6_DISABLED,
		.instead = CAUSE_FOREIGN_ADDRESS,
		.claim = ipv6_disabled,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"where IPv6 is off (net.ipv6.conf.all.disable_ipv6=1) use 127.0.0.1: localhost can be ::1",
			"take ::1 out of the host's /etc/hosts, or switch IPv6 on, at least on lo",
		},
		.in_vain = {SAME_ERRNO, "trying again: it is the same at every call"},
	},
	{
		.cause = CAUSE_IPV6_TENTATIVE,
		.instead = CAUSE_FOREIGN_ADDRESS,
		.claim = ipv6_tentative,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"wait until `ip -6 address` shows no `tentative` (systemd-networkd-wait-online)",
			"`nodad` on an address that nobody else can have, or net.ipv6.conf.*.optimistic_dad=1",
		},
		.in_vain = {SAME_ERRNO},
	},
	{
		.cause = CAUSE_LINK_LOCAL,
		.instead = CAUSE_FOREIGN_ADDRESS,
		.claim = link_local,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"name the interface with the address: fe80::1%eth0, which getaddrinfo() makes a sin6_scope_id of; "
			"`ip -6 route get fe80::1 oif eth0` shows the right one",
			"keep sin6_scope_id with an address that is stored or handed on: it is lost where only 16 bytes are",
			"use an address that is not link-local, where the peer has one",
		},
		.in_vain = {SAME_ERRNO, "trying again: it is the same at every call"},
	},
	RULES_END,
};
// clang-format on
