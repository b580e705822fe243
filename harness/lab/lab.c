#include "lab/lab.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/gateway.h"
#include "lab/settings.h"
#include "sys/netns.h"
#include "sys/rights.h"
#include "sys/rtnetlink.h"
#include "sys/sysctl.h"

static const char link_name[] = LINK_NAME; /* in both namespaces */

/* What the thread that builds is given, and gives back. */
struct building {
	struct lab *lab;
	const struct plan *plan;
	struct arena *arena;
	struct err *err;
	bool good;
};

bool lab_rights(const struct host *host, struct err *err)
{
	return !host->needs_userns || rights_userns(err);
}

/* A new namespace, which the thread is then in, held by *fd. */
static bool make_and_hold(int *fd, struct err *err)
{
	if (!netns_make(err))
		return false;
	*fd = netns_open(err);
	return *fd >= 0;
}

static bool has_gateway(const struct building *b)
{
	return b->plan->scenario->network.topology == TOPOLOGY_NAT;
}

/* Leaves the thread in the client's. The one between is gone as soon as nobody holds it. */
static bool namespaces_make(struct building *b, int between)
{
	struct lab *lab = b->lab;

	if (!make_and_hold(&lab->client_ns, b->err))
		return false;
	if (b->plan->scenario->network.topology == TOPOLOGY_LOOPBACK) {
		lab->server_ns = netns_open(b->err);
		return lab->server_ns >= 0;
	}
	/* From the one between again: a namespace inherits the wish for a hash from its maker,
	 * not its own. */
	if (has_gateway(b) &&
	    !(netns_enter(between, b->err) && make_and_hold(&lab->gateway_ns, b->err)))
		return false;
	return netns_enter(between, b->err) && make_and_hold(&lab->server_ns, b->err) &&
	       netns_enter(lab->client_ns, b->err);
}

static bool hash_ask(const struct plan *p, struct arena scratch, struct err *err)
{
	struct text entries = text_format(&scratch, "%u", p->hash_entries);
	int sys = p->hash_entries ? sysctl_write(TEXT("net.ipv4.tcp_child_ehash_entries"), entries)
				  : 0;

	return sys == 0 ||
	       err_sys(err, sys, "could not ask for a socket hash of %u entries", p->hash_entries);
}

/* The kernel says a shared hash with a minus; one that it had no memory for is shared. */
static bool hash_is_private(void)
{
	char entries[32];

	return sysctl_read(TEXT("net.ipv4.tcp_ehash_entries"), entries, sizeof(entries)) == 0 &&
	       strtol(entries, NULL, 10) > 0;
}

static bool lo_up(struct err *err)
{
	struct rtnetlink rt;
	bool good = rtnetlink_open(&rt, err) && rtnetlink_up(&rt, "lo", err);

	rtnetlink_close(&rt);
	return good;
}

/* All that is elsewhere is behind the first address of the other end. So an end knows one
 * neighbour, however many addresses there are: the kernel's table of neighbours is small, and
 * shared with the host. */
static bool half_join(const struct address_list *mine, const struct address_list *other,
		      enum veth_end other_end, bool comes_later, struct err *err)
{
	static const struct address_list none = {NULL, 0};
	struct address via;
	struct rtnetlink rt;
	bool good;

	if (mine->count == 0) /* of a version of IP that nobody asked for */
		return true;
	via = other->list[0];
	good = rtnetlink_open(&rt, err) &&
	       rtnetlink_addresses(&rt, link_name, comes_later ? &none : mine, err) &&
	       rtnetlink_up(&rt, link_name, err) &&
	       rtnetlink_neighbour(&rt, link_name, via, other_end, err) &&
	       rtnetlink_route(&rt, link_name, via, 0, &via, err);

	rtnetlink_close(&rt);
	return good;
}

static bool is_tentative(const struct plan *p, const struct address_list *sources)
{
	return p->scenario->network.dad && sources->count && !address_is_ipv4(sources->list[0]);
}

/* Last of all, and with the scenario's settings: a second later they are tentative no more. */
static bool tentative_add(const struct plan *p, struct err *err)
{
	const struct address_list *both[] = {&p->sources, &p->other.sources};
	bool good = true;

	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		struct rtnetlink rt;

		if (!is_tentative(p, both[i]))
			continue;
		good = good && rtnetlink_open(&rt, err) &&
		       rtnetlink_addresses_tentative(&rt, link_name, both[i], err);
		rtnetlink_close(&rt);
	}
	return good;
}

/* Each end hears by itself that the link is up, and until then it drops what it is to send: its
 * answers to IPv6 neighbour solicitations, too, which are a second apart. */
static bool end_await(struct building *b)
{
	struct rtnetlink rt;
	bool good = rtnetlink_open(&rt, b->err) && rtnetlink_await(&rt, link_name, b->err);

	rtnetlink_close(&rt);
	return good;
}

/* The thread is in the client's namespace before and after. */
static bool veth_join(struct building *b)
{
	const struct plan *p = b->plan;
	struct rtnetlink rt;
	bool good;

	good = rtnetlink_open(&rt, b->err) &&
	       rtnetlink_veth(&rt, link_name, link_name, b->lab->server_ns, b->err) &&
	       half_join(&p->sources, &p->server_link, VETH_THERE, is_tentative(p, &p->sources),
			 b->err) &&
	       half_join(&p->other.sources, &p->other.link, VETH_THERE,
			 is_tentative(p, &p->other.sources), b->err) &&
	       netns_enter(b->lab->server_ns, b->err) &&
	       half_join(&p->server_link, &p->sources, VETH_HERE, false, b->err) &&
	       half_join(&p->other.link, &p->other.sources, VETH_HERE, false, b->err) &&
	       end_await(b) && netns_enter(b->lab->client_ns, b->err) &&
	       rtnetlink_await(&rt, link_name, b->err);
	rtnetlink_close(&rt);
	return good;
}

/* Settings and loopback of a namespace beside the client's. */
static bool beside_prepare(struct building *b, enum lab_role role, int ns)
{
	return netns_enter(ns, b->err) && settings_own(b->lab, b->plan, role, b->arena, b->err) &&
	       lo_up(b->err) && netns_enter(b->lab->client_ns, b->err);
}

static bool ends_join(struct building *b)
{
	if (b->plan->scenario->network.topology == TOPOLOGY_LOOPBACK)
		return true;
	if (!beside_prepare(b, LAB_SERVER, b->lab->server_ns))
		return false;
	if (!has_gateway(b))
		return veth_join(b);
	return beside_prepare(b, LAB_GATEWAY, b->lab->gateway_ns) &&
	       gateway_join(b->lab, b->plan, b->arena, b->err);
}

/* The scenario's settings, each in the namespace it is for. */
static bool settings_make(struct building *b)
{
	struct lab *lab = b->lab;
	const struct {
		enum lab_role role;
		int ns;
	} rows[] = {
		{LAB_SERVER, lab->server_ns},
		{LAB_GATEWAY, lab->gateway_ns},
		{LAB_CLIENT, lab->client_ns},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].ns >= 0 &&
		    !(netns_enter(rows[i].ns, b->err) &&
		      settings_scenario(lab, b->plan, rows[i].role, b->arena, b->err)))
			return false;
	return true;
}

static bool network_build(struct building *b)
{
	b->lab->private_hash = hash_is_private();
	settings_begin(b->lab, b->plan, b->arena);
	return settings_own(b->lab, b->plan, LAB_CLIENT, b->arena, b->err) && lo_up(b->err) &&
	       ends_join(b) && settings_make(b) && tentative_add(b->plan, b->err);
}

static void *build(void *argument)
{
	struct building *b = argument;
	int between = -1;

	b->good = make_and_hold(&between, b->err) && hash_ask(b->plan, *b->arena, b->err) &&
		  namespaces_make(b, between);
	if (between >= 0)
		close(between);
	b->good = b->good && network_build(b);
	return NULL;
}

/* In a thread of its own, which ends in the last namespace it was in: no path can leave the
 * caller in another than its own. Signals are the caller's. */
bool lab_build(struct lab *out, const struct plan *plan, struct arena *arena, struct err *err)
{
	struct building b = {.lab = out, .plan = plan, .arena = arena, .err = err};
	sigset_t all, before;
	pthread_t thread;
	int sys;

	*out = (struct lab){.client_ns = -1, .server_ns = -1, .gateway_ns = -1};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sys = pthread_create(&thread, NULL, build, &b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (sys)
		return err_sys(err, sys, "could not start the thread that builds the network");
	pthread_join(thread, NULL);
	if (!b.good)
		lab_close(out);
	return b.good;
}

static void let_go(int *fd)
{
	if (*fd > 0) /* an empty struct lab holds none */
		close(*fd);
	*fd = -1;
}

void lab_close(struct lab *lab)
{
	let_go(&lab->client_ns);
	let_go(&lab->server_ns);
	let_go(&lab->gateway_ns);
}

static int namespace_of(const struct lab *lab, enum lab_role role)
{
	const int namespaces[] = {[LAB_CLIENT] = lab->client_ns,
				  [LAB_SERVER] = lab->server_ns,
				  [LAB_GATEWAY] = lab->gateway_ns};

	return namespaces[role];
}

int lab_domain(const struct plan *p)
{
	if (plan_is_of_family(p, FAMILY_IPV4))
		return AF_INET;
	return plan_has_family(p, FAMILY_IPV4) ? AF_UNSPEC : AF_INET6;
}

bool lab_visit(const struct lab *lab, enum lab_role role, struct err *err)
{
	return netns_enter(namespace_of(lab, role), err);
}

bool lab_enter(const struct lab *lab, enum lab_role role, struct err *err)
{
	return netns_enter(namespace_of(lab, role), err) && rights_drop(err);
}

bool lab_enter_admin(const struct lab *lab, enum lab_role role, struct err *err)
{
	return netns_enter(namespace_of(lab, role), err) && rights_keep_network(err);
}

/* What the servers have sent to them is for nobody then, and is dropped as plan.c has it. Of IPv4
 * nothing can be sent from an address that is not there (ip_route_output_key_hash_rcu()); IPv6
 * does not look, and so loses the way. */
static bool vanish_from(struct rtnetlink *rt, const struct address_list *servers,
			const struct address_list *clients, struct err *err)
{
	struct address client;

	if (servers->count == 0)
		return true;
	client = clients->list[0];
	return rtnetlink_addresses_remove(rt, link_name, servers, err) &&
	       (address_is_ipv4(client) ||
		(rtnetlink_route_remove(rt, link_name, client, 0, &client, err) &&
		 rtnetlink_route_remove(rt, link_name, client, 128, NULL, err)));
}

bool lab_vanish(const struct plan *p, struct err *err)
{
	struct rtnetlink rt;
	bool good = rtnetlink_open(&rt, err) && vanish_from(&rt, &p->servers, &p->sources, err) &&
		    vanish_from(&rt, &p->other.servers, &p->other.sources, err);

	rtnetlink_close(&rt);
	return good;
}
