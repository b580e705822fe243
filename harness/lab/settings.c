#include "lab/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/order.h"
#include "sys/sysctl.h"

enum {
	VALUE_MOST = 4096, /* a page: what /proc/sys gives at most */
	OWN_MOST = 16,	   /* settings on record that no scenario asked for */
	FIRST_FREE = 1024, /* ip_unprivileged_port_start of a new namespace */
};

/* A sysctl to set, whoever asks for it. */
struct wish {
	struct text name, value;
	struct mark name_at, value_at; /* line 0: nobody wrote it */
	enum lab_role role;	       /* whose namespace */
	bool optional;		       /* a kernel without it needs no such setting */
};

/* Our own wish for a number. */
struct number {
	const char *name;
	int64_t value;
	bool wanted, optional;
};

/* What the scenario wants of this namespace. */
static const struct setting_list *settings_of(const struct plan *p, enum lab_role role)
{
	const struct setting_list *all[] = {
		[LAB_CLIENT] = &p->scenario->network.sysctl,
		[LAB_SERVER] = &p->scenario->server.sysctl,
		[LAB_GATEWAY] = &p->scenario->network.nat.sysctl,
	};

	return all[role];
}

void settings_begin(struct lab *lab, const struct plan *plan, struct arena *arena)
{
	size_t wanted = OWN_MOST;

	for (enum lab_role role = LAB_CLIENT; role <= LAB_GATEWAY; role++)
		wanted += settings_of(plan, role)->count;
	lab->settings = ARENA_ARRAY(arena, struct lab_setting, wanted);
	lab->setting_count = 0;
}

/* The first word of *t, taken off it; empty at the end. */
static struct text word_take(struct text *t)
{
	static const char blanks[] = " \t\n";
	struct text word;

	*t = text_trim(*t);
	word = *t;
	for (word.len = 0; word.len < t->len && !strchr(blanks, t->s[word.len]);)
		word.len++;
	*t = text_skip(*t, word.len);
	return word;
}

/* The kernel prints values with other blanks than users write. */
static bool same_value(struct text a, struct text b)
{
	struct text x, y;

	do {
		x = word_take(&a);
		y = word_take(&b);
		if (!text_eq(x, y))
			return false;
	} while (x.len);
	return true;
}

/* Words of the scenario are to blame if it has them; else it is our trouble. Returns where. */
static bool blame(const struct plan *p, struct mark at, struct err *err)
{
	if (at.line == 0)
		return false;
	if (err)
		err->kind = ERR_SCENARIO;
	return scenario_blame(p->scenario, at, err);
}

static bool refused(const struct plan *p, const struct wish *w, int sys, struct err *err)
{
	if (sys == ENOENT) {
		err_set(err, ERR_SYS, "cannot set " TEXT_FMT ": this namespace has no such sysctl",
			TEXT_ARG(w->name));
		err_hint(err, "It may belong to the whole machine, which lastport does not change, "
			      "or to a module or "
			      "kernel that is not here.");
		return blame(p, w->name_at, err);
	}
	if (sys == EACCES) { /* mode 0444: to root as well (test_perm(), fs/proc/proc_sysctl.c) */
		err_set(err, ERR_SYS, "cannot set " TEXT_FMT ": it can only be read here",
			TEXT_ARG(w->name));
		err_hint(err, "It is a figure that the kernel tells, or a setting of the whole "
			      "machine that a network namespace merely shows.");
		return blame(p, w->name_at, err);
	}
	if (sys == EPERM) {
		err_set(err, ERR_SYS, "cannot set " TEXT_FMT ": it belongs to the whole machine",
			TEXT_ARG(w->name));
		err_hint(err, "Set names that begin with net. and belong to a network namespace.");
		return blame(p, w->name_at, err);
	}
	err_sys(err, sys, "the kernel refuses " TEXT_FMT " = " TEXT_FMT, TEXT_ARG(w->name),
		TEXT_ARG(w->value));
	err_hint(err, "The write gave %s: see what values this sysctl takes.", errno_name(sys));
	return blame(p, w->value_at.line ? w->value_at : w->name_at, err);
}

/* Sets one, reads it back, and puts it on record if there is one to put it on. */
static bool wish_fulfil(const struct plan *p, const struct wish *w, struct lab *record,
			struct arena *arena, struct err *err)
{
	char before[VALUE_MOST], after[VALUE_MOST];
	int sys = sysctl_read(w->name, before, sizeof(before));

	if (sys == ENOENT && w->optional)
		return true;
	if (sys == 0)
		sys = sysctl_write(w->name, w->value);
	if (sys == 0)
		sys = sysctl_read(w->name, after, sizeof(after));
	if (sys)
		return refused(p, w, sys, err);
	if (!same_value(text_of(after), w->value)) {
		err_set(err, ERR_SYS, TEXT_FMT " was set to " TEXT_FMT ", but is %.40s",
			TEXT_ARG(w->name), TEXT_ARG(w->value), after);
		err_hint(err,
			 "Write the value that the kernel made of it, if that is what you want.");
		return blame(p, w->value_at.line ? w->value_at : w->name_at, err);
	}
	if (record)
		record->settings[record->setting_count++] = (struct lab_setting){
			.name = text_keep(arena, w->name),
			.wanted = text_keep(arena, w->value),
			.before = text_keep(arena, text_of(before)),
			.after = text_keep(arena, text_of(after)),
			.role = w->role,
			.at = w->value_at,
		};
	return true;
}

static bool scenario_sets(const struct plan *p, const char *name)
{
	const struct setting_list *all = &p->scenario->network.sysctl;

	for (size_t i = 0; i < all->count; i++)
		if (text_is(all->list[i].name, name))
			return true;
	return false;
}

/* Lists are sorted. */
static uint16_t lower(uint16_t lowest, const struct port_list *ports)
{
	return ports->count && ports->list[0].lo < lowest ? ports->list[0].lo : lowest;
}

/* What a namespace must carry. */
struct terms {
	bool is_client, is_server, is_ipv6;
	uint16_t lowest;    /* port that somebody without rights has to bind */
	uint64_t entries;   /* of the hash of connections */
	uint64_t half_open; /* at once */
};

static uint16_t lowest_port(const struct plan *p, bool is_client, bool is_server)
{
	const struct scenario *s = p->scenario;
	uint16_t lowest = FIRST_FREE;

	if (is_client && s->network.ports.lo < lowest)
		lowest = s->network.ports.lo;
	if (is_client)
		lowest = lower(lower(lowest, &s->squat.listen), &s->squat.ports);
	for (uint32_t i = 0; is_server && i < p->services; i++)
		if (plan_service(p, i) < lowest)
			lowest = plan_service(p, i);
	return lowest;
}

static struct terms terms_of(const struct plan *p, enum lab_role role)
{
	struct terms n = {
		.is_client = role == LAB_CLIENT,
		.is_server =
			role == LAB_SERVER || p->scenario->network.topology == TOPOLOGY_LOOPBACK,
		.is_ipv6 = plan_has_family(p, FAMILY_IPV6) ||
			   (p->squat.sockets && p->squat.family == FAMILY_IPV6),
		.entries = p->host->ehash > 0 ? (uint64_t)p->host->ehash : 262144,
	};

	n.lowest = lowest_port(p, n.is_client, n.is_server);
	n.half_open = most(128, n.entries / 128);
	if (n.is_server)
		n.half_open = most(n.half_open, p->backlog);
	return n;
}

static bool number_set(struct lab *lab, const struct plan *p, const struct number *n,
		       bool is_client, struct arena *arena, struct err *err)
{
	const struct wish w = {
		.name = text_of(n->name),
		.value = text_format(arena, "%" PRId64, n->value),
		.optional = n->optional,
	};
	bool on_record = is_client && !scenario_sets(p, n->name);

	return !n->wanted || wish_fulfil(p, &w, on_record ? lab : NULL, arena, err);
}

/* A small hash brings small limits with it: these are what a namespace has that shares
 * the host's (tcp_set_hashinfo(), net/ipv4/tcp_ipv4.c). IPv6 would send packets of its
 * own: where it is not asked for there is none of it, and else no more than has to be.
 *
 * tcp_rfc1337: when the ACK and the FIN of the far end come close together, the client
 * acknowledges twice; the second ACK finds the far end's socket gone, and is answered
 * with a RST that ends the client's TIME_WAIT (RFC 1337 calls it assassination). 4 to 9
 * of 1,000 ports came back early so (Linux 6.18, veth), and no count of them was exact.
 *
 * tcp_orphan_retries: when both ends end at once, many a last FIN finds nobody. Its
 * socket repeats it for two minutes, keeps the namespace alive so long, and counts
 * against the host's tcp_max_orphans: 19,664 of 28,232 did (Linux 6.18). Where the far
 * end lives it answers the first, so that this changes nothing.
 *
 * ip_forward: a new namespace has the host's, and a server that forwards would not drop
 * in silence what is for nobody (server.behaviour: drop). */
static bool numbers_set(struct lab *lab, const struct plan *p, enum lab_role role,
			struct arena *arena, struct err *err)
{
	const struct terms term = terms_of(p, role);
	const struct number wishes[] = {
		{"net.ipv6.conf.default.disable_ipv6", !term.is_ipv6, true, !term.is_ipv6},
		{"net.ipv6.conf.all.disable_ipv6", !term.is_ipv6, true, !term.is_ipv6},
		{"net.ipv6.conf.default.accept_dad", term.is_client && p->scenario->network.dad,
		 term.is_ipv6, true},
		{"net.ipv6.conf.default.accept_ra", 0, term.is_ipv6, true},
		{"net.ipv6.conf.default.router_solicitations", 0, term.is_ipv6, true},
		{"net.ipv4.tcp_max_tw_buckets", (int64_t)term.entries / 2, lab->private_hash,
		 false},
		{"net.ipv4.tcp_max_syn_backlog", (int64_t)term.half_open,
		 lab->private_hash || term.is_server, false},
		{"net.ipv4.tcp_rfc1337", 1, term.is_client, false},
		{"net.ipv4.tcp_orphan_retries", 1, true, false},
		{"net.core.somaxconn", p->backlog, term.is_server, false},
		{"net.ipv4.ip_forward", role == LAB_GATEWAY, !term.is_client, false},
		{"net.ipv4.ip_unprivileged_port_start", term.lowest, term.lowest < FIRST_FREE,
		 false},
	};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		if (!number_set(lab, p, &wishes[i], term.is_client, arena, err))
			return false;
	return true;
}

static struct text ports_text(struct text so_far, struct port_range r, struct arena *arena)
{
	const char *comma = so_far.len ? "," : "";

	if (r.lo == r.hi)
		return text_format(arena, TEXT_FMT "%s%u", TEXT_ARG(so_far), comma, r.lo);
	return text_format(arena, TEXT_FMT "%s%u-%u", TEXT_ARG(so_far), comma, r.lo, r.hi);
}

/* The client's range, and what of it is reserved. */
static bool ports_set(struct lab *lab, const struct plan *p, struct arena *arena, struct err *err)
{
	struct port_range range = p->scenario->network.ports;
	const struct port_list *reserved = &p->scenario->network.reserved;
	struct wish w = {
		.name = TEXT("net.ipv4.ip_local_port_range"),
		.value = text_format(arena, "%u %u", range.lo, range.hi),
		.value_at = p->scenario->network.at.ports,
	};
	struct text list = {0};

	if (!wish_fulfil(p, &w, lab, arena, err))
		return false;
	if (reserved->count == 0)
		return true;
	for (size_t i = 0; i < reserved->count; i++)
		list = ports_text(list, reserved->list[i], arena);
	w.name = TEXT("net.ipv4.ip_local_reserved_ports");
	w.value = list;
	w.value_at = p->scenario->network.at.reserved;
	return wish_fulfil(p, &w, lab, arena, err);
}

bool settings_own(struct lab *lab, const struct plan *p, enum lab_role role, struct arena *arena,
		  struct err *err)
{
	return numbers_set(lab, p, role, arena, err) &&
	       (role != LAB_CLIENT || ports_set(lab, p, arena, err));
}

bool settings_scenario(struct lab *lab, const struct plan *p, enum lab_role role,
		       struct arena *arena, struct err *err)
{
	const struct setting_list *all = settings_of(p, role);

	for (size_t i = 0; i < all->count; i++) {
		const struct setting *s = &all->list[i];
		struct wish w = {.name = s->name,
				 .value = s->value,
				 .name_at = s->at,
				 .value_at = s->value_at,
				 .role = role};

		if (!wish_fulfil(p, &w, lab, arena, err))
			return false;
	}
	return true;
}
