#include "plan/plan.h"

#include <errno.h>
#include <inttypes.h>

#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/choose.h"
#include "plan/doubt.h"
#include "plan/gateway.h"
#include "plan/life.h"
#include "plan/options.h"
#include "plan/places.h"
#include "plan/size.h"
#include "plan/split.h"
#include "plan/squat.h"
#include "plan/together.h"

enum {
	BATCH = 8,	     /* where a connect is slow, those behind it in its batch wait for it */
	WINDOW_PERCENT = 45, /* in kernel order the first half is quick */
};

static bool io_uring_works(const struct host *host, struct err *err)
{
	if (host->io_uring == 0)
		return true;
	err_set(err, ERR_HOST, "io_uring is %s: %s", host_io_uring_cause(host->io_uring),
		errno_words(host->io_uring));
	return err_hint(err, "%s", host_io_uring_mend(host->io_uring));
}

/* To count sockets, /proc does too; it ends none. */
static bool time_wait_can_end(const struct scenario *s, const struct host *host, struct err *err)
{
	if (host->sock_diag == 0 || acceleration_of(s) <= 1)
		return true;
	err_set(err, ERR_HOST, "network.time_wait needs sock_diag, which is not available: %s",
		errno_words(host->sock_diag));
	return err_hint(err, "Load the kernel's modules inet_diag and tcp_diag.");
}

/* What a gateway takes besides. */
static bool gateway_works(const struct scenario *s, const struct host *host, struct err *err)
{
	if (s->network.topology != TOPOLOGY_NAT)
		return true;
	if (host->nft) {
		err_set(err, ERR_HOST, "topology: nat needs the program nft, which is not here");
		return err_hint(err, "Install it: Debian's package nftables.");
	}
	if (host->nat == 0)
		return true;
	err_set(err, ERR_HOST, "topology: nat needs the kernel's NAT, which is not available: %s",
		errno_words(host->nat));
	if (host->nat == EPERM || host->nat == EACCES)
		return err_hint(err, "Run it as root, or where user namespaces are allowed: "
				     "`lastport doctor` says what this user may.");
	return err_hint(err, "Load the kernel's modules nf_tables, nft_chain_nat and "
			     "nf_conntrack_netlink.");
}

/* A counter that nobody has would stay without data until the end of the run. */
static bool counters_exist(const struct scenario *s, const struct host *host, struct err *err)
{
	for (size_t i = 0; i < s->expect.count; i++) {
		const struct expectation *e = &s->expect.list[i];

		if (e->what.measure != MEASURE_COUNTER || host_has_counter(host, e->what.counter))
			continue;
		err_set(err, ERR_SCENARIO, "this kernel has no counter " TEXT_FMT,
			TEXT_ARG(e->what.counter));
		err_hint(err, "See the Tcp lines of /proc/net/snmp, those of Udp with that before "
			      "the name, and the TcpExt lines of /proc/net/netstat.");
		return scenario_blame(s, e->at, err);
	}
	return true;
}

/* What a connection that ends so goes through. */
static uint32_t steps_of(const struct load_plan *p, enum end end)
{
	const struct load *l = p->load;
	const struct {
		enum op op;
		bool wanted;
	} steps[] = {
		{OP_SOCKET, true},
		{OP_CONNECT, true},
		{OP_UNDO, true},
		{OP_OPTION, p->option_count > 0},
		{OP_BIND, p->bind_source},
		{OP_LINGER, end == END_RESET},
		{OP_WINDOW, p->window},
		{OP_MEET, p->meets_itself},
		{OP_CHECK, p->idle_most > 0},
		{OP_RENEW, p->idle_most > 0},
		{OP_SEND, l->request.send > 0},
		{OP_RECEIVE, l->request.receive > 0},
		{OP_HOLD, l->hold > 0},
		{OP_IDLE, p->idle_most > 0},
		{OP_SHUT, end == END_SHUTDOWN},
		{OP_AWAIT, end == END_WAIT || end == END_SHUTDOWN},
		{OP_INHERIT, end == END_INHERIT},
		{OP_DISCONNECT, end == END_DISCONNECT},
		{OP_CLEAR, end == END_DISCONNECT},
		{OP_CLOSE, end != END_LEAK && end != END_DISCONNECT},
	};
	uint32_t life = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		life |= (uint32_t)steps[i].wanted << steps[i].op;
	return life;
}

/* Without a bound of its own a pool is as large as the load makes it. */
static void pool_set(struct load_plan *p)
{
	const struct load *l = p->load;
	uint64_t serves = l->request.per_connection;
	bool pooled = load_is_pooled(l);

	p->idle_most = !pooled ? 0 : l->pool.max_idle ? (uint32_t)l->pool.max_idle : UINT32_MAX;
	p->serves_most = serves ? (uint32_t)serves : pooled ? UINT32_MAX : 1;
	p->requests = l->request.send > 0 || pooled || serves;
}

static void life_set(struct load_plan *p, const struct host *h)
{
	const uint32_t options = 1U << OP_OPTION | 1U << OP_LINGER | 1U << OP_WINDOW;
	uint32_t all = 0;

	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(p->load, end))
			all |= p->steps[end] = steps_of(p, end);
	p->classic_sockets = h->ring_socket || (all & options && h->ring_option) ||
			     (p->bind_source && h->ring_bind) ||
			     p->load->protocol == PROTOCOL_UDP || p->load->nofile > 0;
}

/* Only a ring can lend a right for one operation (personality, io_uring_enter(2)); a load of UDP, which
 * asks the kernel itself, keeps it. */
static bool rights_to_be_had(const struct load_plan *lp, const struct plan *p, struct err *err)
{
	if (!lp->needs_rights || !lp->classic_sockets || lp->load->protocol == PROTOCOL_UDP)
		return true;
	err_set(err, ERR_HOST, "load.options.mark cannot be set on this kernel");
	err_hint(err, "It takes an io_uring that sets options and binds (Linux 6.11).");
	return scenario_blame(p->scenario, lp->load->options.at.mark, err);
}

/* A direct descriptor has no address that anybody could ask for. */
static bool peer_to_be_seen(const struct load_plan *lp, const struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;

	if (!lp->meets_itself || p->host->ring_install == 0)
		return true;
	err_set(err, ERR_HOST,
		"connections that may meet themselves need IORING_OP_FIXED_FD_INSTALL: %s",
		errno_words(p->host->ring_install));
	err_hint(err,
		 "It is there since Linux 6.8. Or keep network.services out of network.ports.");
	return scenario_blame(s, s->network.at.services, err);
}

static bool window_to_be_had(const struct load_plan *lp, const struct plan *p, struct err *err)
{
	if (lp->bind != BIND_LOCAL_PORT_RANGE || p->host->port_window == 0)
		return true;
	err_set(err, ERR_HOST, "load.bind cannot be local-port-range on this kernel: %s",
		errno_words(p->host->port_window));
	err_hint(err, "IP_LOCAL_PORT_RANGE is there since Linux 6.3.");
	return scenario_blame(p->scenario, lp->load->at.bind, err);
}

static bool multipath_to_be_had(const struct load_plan *lp, const struct plan *p, struct err *err)
{
	if (!lp->load->options.mptcp || p->host->mptcp == 0)
		return true;
	err_set(err, ERR_HOST, "load.options.mptcp cannot be had on this kernel: %s",
		errno_words(p->host->mptcp));
	err_hint(err, "It takes a kernel that was built with CONFIG_MPTCP (Linux 5.6 and later).");
	return scenario_blame(p->scenario, lp->load->options.at.mptcp, err);
}

/* Three are stdin, stdout and stderr. */
static bool descriptors_to_be_had(const struct load_plan *lp, const struct plan *p, struct err *err)
{
	uint64_t wanted = lp->load->nofile;
	int64_t most = p->host->nofile;

	if (wanted == 0 || most < 0 || wanted < (uint64_t)most)
		return true;
	err_set(err, ERR_HOST,
		"load.nofile is %" PRIu64 ", and RLIMIT_NOFILE of lastport itself is %" PRId64,
		wanted, most);
	err_hint(err,
		 "Choose one below that, or raise the hard limit of open files (`ulimit -Hn`).");
	return scenario_blame(p->scenario, lp->load->at.nofile, err);
}

/* What chooses the source has to bind it; then connect() chooses the port still. */
static enum bind_way way_of(const struct plan *p, const struct load *load)
{
	return load->bind.way == BIND_NONE && p->bind_source ? BIND_ADDRESS_NO_PORT
							     : load->bind.way;
}

/* All ports that a connection can have, of whichever load. */
static struct port_range watched(const struct plan *p)
{
	struct port_range all = p->loads[0].ports;

	for (uint32_t i = 1; i < p->load_count; i++) {
		struct port_range ports = p->loads[i].ports;

		all.lo = ports.lo < all.lo ? ports.lo : all.lo;
		all.hi = ports.hi > all.hi ? ports.hi : all.hi;
	}
	return all;
}

static struct budget budget_of(const struct plan *p, const struct load *load)
{
	struct budget b = bind_budget(p->scenario, load, p->sources.count, p->destinations);

	budget_hold(&b, places_in_range(p, load));
	return b;
}

/* Its answer is waited for, it is held, and then its client pauses. */
static int64_t round_of(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return life_of(&alone, &lp->budget, p->host).live.mean + alone.load.request.pause;
}

static bool load_set(struct load_plan *out, const struct plan *p, const struct load *load,
		     struct arena *arena, struct err *err)
{
	*out = (struct load_plan){
		.load = load,
		.family = load_family(p->scenario, load),
		.shape = shape_make(load),
		.concurrency = load_is_open(load) ? 0 : concurrency_of(load),
		.batch = BATCH,
		.budget = budget_of(p, load),
		.ports = bind_ports(load, p->scenario->network.ports),
		.bind = way_of(p, load),
		.bind_source = p->bind_source || load->bind.way == BIND_ADDRESS_NO_PORT ||
			       bind_takes_port(load->bind.way),
		.window = load->order == ORDER_FAST && p->host->port_window == 0,
		.meets_itself = places_meet(p, load),
		.closes_with_rst = load->options.linger == 0,
		.sockets_most = load->nofile ? (uint32_t)load->nofile - STDIO : UINT32_MAX,
	};
	if (!places_of(p, out, arena, err))
		return false;
	out->round_ns = round_of(p, out);
	options_make(out, arena);
	pool_set(out);
	life_set(out, p->host);
	return peer_to_be_seen(out, p, err) && rights_to_be_had(out, p, err) &&
	       window_to_be_had(out, p, err) && multipath_to_be_had(out, p, err) &&
	       descriptors_to_be_had(out, p, err);
}

/* A direct descriptor is nobody's to inherit until the kernel makes one of the process of it. */
static bool can_inherit(const struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;
	const struct load *load = NULL;

	for (size_t i = 0; i < scenario_loads(s); i++)
		load = load_ends(scenario_load(s, i), END_INHERIT) ? scenario_load(s, i) : load;
	if (p->host->ring_install == 0 || !load)
		return true;
	err_set(err, ERR_HOST, "load.end: inherit needs IORING_OP_FIXED_FD_INSTALL: %s",
		errno_words(p->host->ring_install));
	err_hint(err, "It is there since Linux 6.8.");
	return scenario_blame(s, load->at.end, err);
}

/* A connected socket does not tell who took its port: where loads of both kinds are together, those that
 * bind first are asked for it while they are descriptors of this process, which a ring's are not. What
 * only a ring may set (rights_to_be_had()) goes untold. */
static void telling_set(struct plan *p)
{
	bool bound = false, connected = false;

	for (uint32_t i = 0; i < p->load_count; i++) {
		bool is_tcp = p->loads[i].load->protocol == PROTOCOL_TCP;

		bound |= is_tcp && bind_takes_port(p->loads[i].bind);
		connected |= is_tcp && !bind_takes_port(p->loads[i].bind);
	}
	for (uint32_t i = 0; bound && connected && i < p->load_count; i++) {
		struct load_plan *lp = &p->loads[i];

		lp->tells_ports = lp->load->protocol == PROTOCOL_TCP && bind_takes_port(lp->bind) &&
				  !lp->needs_rights;
		lp->classic_sockets |= lp->tells_ports;
	}
}

static bool loads_set(struct plan *p, struct arena *arena, struct err *err)
{
	p->load_count = (uint32_t)scenario_loads(p->scenario);
	p->loads = ARENA_ARRAY(arena, struct load_plan, p->load_count);
	for (uint32_t i = 0; i < p->load_count; i++)
		if (!load_set(&p->loads[i], p, scenario_load(p->scenario, i), arena, err))
			return false;
	telling_set(p);
	return true;
}

/* Has each socket of the client a port that no other has, to whichever destination? */
static bool sockets_are_apart(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *l = p->loads[i].load;
		bool takes = l->protocol == PROTOCOL_UDP || bind_takes_port(l->bind.way);

		if (!takes || bind_shares_port(l) || bind_overshadows(l))
			return p->destinations == 1;
	}
	return true;
}

/* Before any forecast: who is let down has its port for longer. */
static void carriage_set(struct plan *p)
{
	const struct scenario *s = p->scenario;
	struct scenario alone = alone_of(s, p->loads[0].load);

	p->nat.carriage = carriage_make(
		&s->network.nat, p->destinations,
		&(struct origin){p->budget.usable, p->sources.count, sockets_are_apart(p)});
	p->nat.fits =
		p->load_count == 1 && gateway_fits(&alone, &p->budget, &p->nat.carriage, p->host);
}

static void forecast_set(struct plan *p)
{
	const struct scenario *s = p->scenario;
	struct scenario alone = alone_of(s, p->loads[0].load);
	bool is_nat = s->network.topology == TOPOLOGY_NAT;

	if (is_nat)
		carriage_set(p);
	p->forecast = together_foresee(p);
	if (!is_nat)
		return;
	if (p->load_count > 1 || (s->network.nat.limit && scenario_loads(s) > 1))
		p->forecast.known = p->forecast.exhausts = p->forecast.counted =
			false; /* what several make of it is a race */
	if (p->load_count == 1)
		forecast_gateway(&p->forecast, &alone, &p->budget, &p->nat, p->host);
	else
		gateway_together(p);
}

void plan_foresee(struct plan *p)
{
	forecast_set(p);
	doubt_set(p);
}

static void loads_fit(struct plan *p, struct arena scratch)
{
	const uint64_t together = together_capacity(p);

	for (uint32_t i = 0; i < p->load_count; i++) {
		p->loads[i].budget.together = together;
		p->loads[i].window_at = (uint64_t)p->loads[i].budget.usable * WINDOW_PERCENT / 100;
		choose_count(p, &p->loads[i], scratch);
	}
	p->budget = p->loads[p->widest].budget;
	p->watched = watched(p);
}

bool plan_make_for(struct plan *out, const struct plan_wish *wish, struct arena *arena,
		   struct err *err)
{
	const struct scenario *s = wish->scenario;
	const struct host *host = wish->host;

	*out = (struct plan){
		.scenario = s, .host = host, .seed = wish->seed, .workers = wish->workers};
	if (!io_uring_works(host, err) || !time_wait_can_end(s, host, err) ||
	    !gateway_works(s, host, err) || !counters_exist(s, host, err) ||
	    !can_inherit(out, err) || !places_set(out, arena, err) || !loads_set(out, arena, err))
		return false;
	out->asks = alone_asks(s, PROTOCOL_TCP);
	out->asks_datagrams = alone_asks(s, PROTOCOL_UDP);
	if (!squat_set(out, err))
		return false;
	loads_fit(out, *arena);
	plan_foresee(out);
	for (uint32_t i = 0; i < out->load_count; i++)
		split_choose(&out->loads[i], out);
	return size_make(out, err);
}

bool plan_make(struct plan *out, const struct scenario *s, const struct host *host, uint64_t seed,
	       struct arena *arena, struct err *err)
{
	const struct plan_wish wish = {.scenario = s, .host = host, .seed = seed};

	return plan_make_for(out, &wish, arena, err);
}
