#include "plan/memory.h"

#include <inttypes.h>
#include <math.h>

#include "base/order.h"
#include "plan/fill.h"
#include "plan/life.h"
#include "plan/size.h"
#include "plan/upstream.h"

/* A payload lies in buffers that are a quarter larger, and one of them at least. Measured: 500
 * connections with 64 KiB unread, 35.8 MB, which is a tenth more. */
enum { BUFFER_LEAST = 2304, BUFFER_QUARTERS = 5 };

/* What a kernel gives to buffers where that could not be read (tcp_init(), net/ipv4/tcp.c, Linux 6.18). */
enum { WMEM_USUAL = 4 << 20, RMEM_USUAL = 32 << 20 };

/* No more than the sender's buffer and the receiver's come to, of a connection of TCP: tcp_wmem and
 * tcp_rmem grow no further. A datagram goes as one. */
static uint64_t buffers_of(uint64_t payload, uint64_t most_bytes)
{
	return payload ? least(BUFFER_LEAST + payload * BUFFER_QUARTERS / 4, most_bytes) : 0;
}

/* Of what the client sends, or of what the server does. */
static uint64_t buffers_most(const struct plan *p, bool client_sends)
{
	static const char wmem[] = "net.ipv4.tcp_wmem", rmem[] = "net.ipv4.tcp_rmem";
	const struct host *h = p->host;
	const struct setting_list *client = &p->scenario->network.sysctl, *server = client;
	int64_t sent = h->wmem > 0 ? h->wmem : WMEM_USUAL,
		held = h->rmem > 0 ? h->rmem : RMEM_USUAL;

	if (p->scenario->network.topology != TOPOLOGY_LOOPBACK)
		server = &p->scenario->server.sysctl;
	sent = setting_last(client_sends ? client : server, wmem, sent);
	held = setting_last(client_sends ? server : client, rmem, held);
	return (uint64_t)sent + (uint64_t)held;
}

/* What nobody reads stays as long as the connection; the rest, as long as it is under way. */
uint64_t memory_carried(const struct plan *p, const struct load *l, const struct crowd *c)
{
	bool serves = behaviour_does(p->scenario->server.behaviour, DOES_SERVE);
	uint64_t request = buffers_of(l->request.send, buffers_most(p, true)),
		 response = buffers_of(l->request.receive, buffers_most(p, false));
	uint64_t stays = (serves ? 0 : request) + (serves && !l->request.read ? response : 0);

	if (l->request.send == 0)
		return 0;
	return (c->open + c->inherited) * stays +
	       (serves ? c->under_way * (request + response - stays) : 0);
}

/* With those that are just being closed: no more than have a port, which the plan says too. */
static uint64_t holding_most(const struct plan *p, const struct crowd *c)
{
	double ports;

	if (life_may_wait_reused(p) || upstreams_are_clients(p) || plan_overshadows(p) > 0)
		return c->holding;
	ports = ceil(fill_ports_most(p));
	return ports < (double)c->holding ? (uint64_t)ports : c->holding;
}

/* Connections that are open, and those that are closed and have their ports still. */
void memory_set(struct plan *p, const struct crowd *c)
{
	struct needs *n = &p->needs;
	uint64_t open = c->open + c->idle + c->inherited + c->under_way;
	uint64_t holding = holding_most(p, c), live = least(open, holding);

	n->live = live + c->beside;
	n->waiting = p->forecast.quiet_ns > 0 ? holding - live : 0;
	n->buffered = c->buffered;
	n->bytes = p->squat.sockets * (uint64_t)BOUND_BYTES + n->live * PAIR_BYTES +
		   n->waiting * WAIT_BYTES + n->buffered;
}

bool memory_suffices(const struct plan *p, struct err *err)
{
	if (p->host->memory < 0 || p->needs.bytes <= (uint64_t)p->host->memory)
		return true;
	err_set(err, ERR_HOST,
		"%" PRIu64 " connections%s take about %" PRIu64 " MB of memory, and %" PRId64
		" MB are free",
		p->needs.live + p->needs.waiting, p->needs.buffered ? " and what they carry" : "",
		p->needs.bytes / 1000000, p->host->memory / 1000000);
	return err_hint(err, "Use a smaller network.ports, load.total or load.hold, or a machine "
			     "with more memory.");
}
