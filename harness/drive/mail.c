/* Requests that are datagrams. */
#include "drive/work.h"

#include "drive/wire.h"

/* What a flow's socket sends now, or waits for. */
struct mail {
	uint32_t number;
	unsigned char head[WIRE_HEAD_BYTES];
	struct iovec pieces[2];
	struct msghdr message;
};

bool mails_open(struct worker *w, struct arena *arena)
{
	bool asks = work_is_datagram(w) && w->load->load->request.send > 0;

	/* Another load's numbers are others: it may have the port of a socket of this one next. */
	w->queries = (uint32_t)(w->load - w->plan->loads) << 24;
	w->mails = ARENA_TRY(arena, struct mail, asks ? w->flow_room : 0);
	return w->mails;
}

/* A socket that is not connected has to be told where to, each time. */
static void address_to(struct worker *w, uint32_t i)
{
	const struct endpoint *server = work_server(w, &w->flows[i]);

	if (w->load->load->connected)
		return;
	w->mails[i].message.msg_name = (void *)(uintptr_t)&server->any;
	w->mails[i].message.msg_namelen = server->len;
}

static struct msghdr *message_of(struct mail *m, void *rest, uint32_t bytes)
{
	uint32_t head = bytes < WIRE_HEAD_BYTES ? bytes : WIRE_HEAD_BYTES;

	m->pieces[0] = (struct iovec){m->head, head};
	m->pieces[1] = (struct iovec){rest, bytes - head};
	m->message = (struct msghdr){.msg_iov = m->pieces, .msg_iovlen = 2};
	return &m->message;
}

const struct msghdr *mail_write(struct worker *w, uint32_t i)
{
	const struct load *l = w->load->load;
	struct mail *m = &w->mails[i];

	m->number = ++w->queries;
	wire_query_write(m->head, (struct wire_query){m->number, (uint32_t)l->request.receive});
	message_of(m, w->request[0] + WIRE_HEAD_BYTES, (uint32_t)l->request.send);
	address_to(w, i);
	return &m->message;
}

void mail_send(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	ring_send_message(ring, slot, mail_write(w, i), i + UINT64_C(1));
}

void mail_receive(struct worker *w, uint32_t i)
{
	uint32_t bytes = (uint32_t)w->load->load->request.receive;
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	ring_receive_message(ring, slot, message_of(&w->mails[i], w->scratch, bytes),
			     i + UINT64_C(1));
}

/* An answer too short for a number is anybody's. */
bool mail_is_stray(const struct worker *w, uint32_t i, int result)
{
	const struct request *r = &w->load->load->request;
	const struct mail *m = &w->mails[i];

	if (!work_is_datagram(w) || !r->read || result < 0)
		return false;
	return (uint64_t)result != r->receive ||
	       (r->receive >= sizeof(m->number) && wire_query_read(m->head).number != m->number);
}
