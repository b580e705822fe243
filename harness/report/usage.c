#include "report/usage.h"

#include <string.h>

#include "host/waits.h"
#include "host/wheel.h"
#include "report/draft.h"

const char *usage_share(char text[UNIT_PRINTED], double share)
{
	return share > 0 && share < 0.001 ? strcpy(text, "< 0.1 %")
					  : unit_share_pretty(text, share);
}

void usage_way(struct out *to, const struct usage *u)
{
	bool brackets = !address_is_ipv4(u->remote);
	char text[ADDRESS_PRINTED];

	out_fmt(to, "%s -> ", address_print(text, u->local));
	if (u->remote_port)
		out_fmt(to, "%s%s%s:%u", brackets ? "[" : "", address_print(text, u->remote),
			brackets ? "]" : "", u->remote_port);
	else
		out_z(to, "all");
	if (u->datagrams)
		out_z(to, ", udp");
}

/* Within a step of the kernel's timers, as far off as TIME_WAIT, where they tick 250 times a second: a usage
 * does not tell of its host. */
static bool ends_together(const struct usage *u)
{
	const struct host usual = {0};
	int64_t step_ns = wheel_late_ns(&usual, WAIT_WHOLE_NS);

	return u->all_free_ns - u->next_free_ns < step_ns && u->next_free_ns > step_ns;
}

/* Of TIME_WAIT alone: who holds a port otherwise gives it back when it pleases, or never. */
static void add_times(struct out *to, const struct usage *u)
{
	if (u->all_free_ns < 0)
		return;
	if (u->all_free_ns == 0) {
		out_z(to, " (the next connect() may have them");
	} else if (ends_together(u)) {
		draft_time(to, " (free in ", u->all_free_ns);
	} else {
		if (u->next_free_ns > 0)
			draft_time(to, " (the next free in ", u->next_free_ns);
		else
			out_z(to, " (the next free now");
		draft_time(to, ", all by ", u->all_free_ns);
	}
	out_z(to, ")");
}

void usage_states(struct out *to, const struct usage *u)
{
	bool any = false;

	for (int i = 1; i < STATES; i++) {
		if (u->states[i] == 0)
			continue;
		out_z(to, any ? ", " : "");
		draft_count(to, u->states[i]);
		out_fmt(to, " %s", state_name(i));
		if (i == STATE_TIME_WAIT)
			add_times(to, u);
		any = true;
	}
	if (u->outside == 0)
		return;
	out_z(to, ", ");
	draft_count(to, u->outside);
	out_fmt(to, " of them with %s outside of the range", u->outside == 1 ? "a port" : "ports");
}

void usage_elsewhere(struct out *to, const struct usage *u)
{
	if (u->elsewhere == 0)
		return;
	out_z(to, u->guessed ? "; bind() seems to have taken " : "; bind() took ");
	draft_count(to, u->elsewhere);
	out_z(to, u->elsewhere == 1 ? " other, which connect() passes by"
				    : " others, which connect() passes by");
}

/* " (pid 812, descriptors 5 to 16)"; of what it has closed it has none. */
static void add_process(struct out *to, const struct holder *h)
{
	out_fmt(to, " (pid %d", h->pid);
	if (h->fd_lowest >= 0 && h->fd_lowest == h->fd_highest)
		out_fmt(to, ", descriptor %d", h->fd_lowest);
	else if (h->fd_lowest >= 0)
		out_fmt(to, ", descriptors %d to %d", h->fd_lowest, h->fd_highest);
	out_z(to, ")");
}

void usage_holders(struct out *to, const struct usage *u)
{
	uint32_t sockets = usage_sockets(u), known = 0;
	const char *lead = to->len ? "; " : "";

	if (!u->holders_known)
		return;
	for (int i = 0; i < HOLDERS_MOST && u->holders[i].sockets; i++) {
		const struct holder *h = &u->holders[i];

		out_z(to, lead);
		draft_count(to, h->sockets);
		out_fmt(to, " of %s", h->command);
		if (h->pid)
			add_process(to, h);
		known += h->sockets;
		lead = ", ";
	}
	if (u->held_by_others) {
		out_z(to, lead);
		draft_count(to, u->held_by_others);
		out_z(to, " of others");
		lead = ", ";
	}
	known += u->held_by_others;
	if (known >= sockets)
		return;
	out_z(to, lead);
	draft_count(to, sockets - known);
	out_z(to, " whose process is not known");
}

/* Those whose descriptor may be closed: the kernel names nobody of them. */
static uint32_t orphans_most(const struct usage *u)
{
	return u->states[STATE_TIME_WAIT] + u->states[STATE_FIN_WAIT1] +
	       u->states[STATE_FIN_WAIT2] + u->states[STATE_CLOSING] + u->states[STATE_LAST_ACK];
}

/* It is who has live ones, if nobody else was seen to have any, and the kernel names none of the rest. */
void usage_likely(struct out *to, const struct usage *u)
{
	const struct holder *h = &u->holders[0];
	uint32_t sockets = usage_sockets(u);
	uint32_t unknown = sockets > h->sockets ? sockets - h->sockets : 0;
	bool is_alone = h->sockets && h->fd_lowest >= 0 && !h[1].sockets && !u->held_by_others;

	if (u->holders_known && is_alone && unknown && unknown <= orphans_most(u))
		out_fmt(to, ": likely %s as well, for nobody else is seen to connect there",
			h->command);
}

bool usage_is_ours(const struct usage *u)
{
	return !u->holders_known ||
	       (u->holders[0].pid == 0 && u->holders[0].sockets == usage_sockets(u));
}
