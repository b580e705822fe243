#include "drive/sampler.h"

#include "lab/gateway.h"
#include "plan/bind.h"
#include "plan/life.h"
#include "sys/endpoint.h"

static bool enter_client(const void *lab, struct err *err)
{
	return lab_enter(lab, LAB_CLIENT, err);
}

/* With the right to ask the gateway, where it has been on its way. */
static bool enter_client_admin(const void *lab, struct err *err)
{
	return lab_enter_admin(lab, LAB_CLIENT, err);
}

static bool visit_gateway(const void *lab, struct err *err)
{
	return lab_visit(lab, LAB_GATEWAY, err);
}

/* What is squatted may be of another family than the load. */
static int domain_of(const struct plan *p)
{
	bool other = p->squat.sockets && !plan_is_of_family(p, p->squat.family);

	return other ? AF_UNSPEC : lab_domain(p);
}

/* All but lists. */
static struct sense_wish wish_of(const struct plan *p, const struct lab *lab,
				 const struct drive_hooks *hooks)
{
	const struct scenario *s = p->scenario;
	bool has_gateway = s->network.topology == TOPOLOGY_NAT;

	return (struct sense_wish){
		.enter = has_gateway ? enter_client_admin : enter_client,
		.gateway = has_gateway ? visit_gateway : NULL,
		.unmapped = gateway_unmapped(p),
		.where = lab,
		.filter = {.ports = p->watched,
			   .domain = domain_of(p),
			   .protocols = (unsigned)plan_speaks(p, PROTOCOL_TCP) << PROTOCOL_TCP |
					(unsigned)plan_speaks(p, PROTOCOL_UDP) << PROTOCOL_UDP},
		.range = p->loads[p->widest].ports,
		.from_proc = p->host->sock_diag != 0,
		.pairs = p->budget.pairs * (p->other.sources.count > 0 ? 2 : 1),
		.sockets = 2 * p->needs.holding,
		.together = plan_shares_ports(p),
		.unconnected = plan_is_unconnected(p),
		.shared = plan_overshadows(p),
		.early_ns = acceleration_of(s) > 1 ? TIME_WAIT_NS - s->network.time_wait : 0,
		.waits = life_waits(s),
		.usable = p->budget.usable,
		.ports_named = bind_names_port(p->loads[p->widest].bind),
		.every_ns = s->sample.every,
		.sockets_ns = s->sample.sockets,
		.pulse = hooks->pulse,
		.half_closed_rests = behaviour_does(s->server.behaviour, DOES_KEEP),
	};
}

/* Where client and server share a namespace, a socket at a service's port is the server's. */
static void wish_services(struct sense_wish *wish, const struct plan *p, struct arena *a)
{
	bool is_shared = p->scenario->network.topology == TOPOLOGY_LOOPBACK &&
			 behaviour_does(p->scenario->server.behaviour, DOES_LISTEN);
	uint16_t *services = ARENA_ARRAY(a, uint16_t, p->services);

	for (uint32_t i = 0; is_shared && i < p->services; i++)
		services[wish->service_count++] = plan_service(p, i);
	wish->services = services;
}

static void wish_destinations(struct sense_wish *wish, const struct plan *p, struct arena *a)
{
	uint32_t count = plan_accounts(p);
	struct destination *all = ARENA_ARRAY(a, struct destination, count);

	for (uint32_t i = 0; i < count; i++) {
		struct account_place at = plan_account_place(p, i);

		all[i] = (struct destination){at.address, at.port, at.datagrams};
	}
	wish->destinations = all;
	wish->destination_count = count;
}

struct sense_wish sampler_wish(const struct plan *p, const struct lab *lab,
			       const struct drive_hooks *hooks, struct arena *a)
{
	struct sense_wish wish = wish_of(p, lab, hooks);

	wish_services(&wish, p, a);
	wish_destinations(&wish, p, a);
	return wish;
}
