#include "kernel.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/wire.h"
#include "sys/clock.h"

struct fake_kernel fake;

/* Ports in TIME_WAIT, in the order of their end. */
static struct {
	int64_t until_ns;
	uint32_t dest;
} dying[FAKE_DYING];
static uint32_t dying_first, dying_end;

struct slot {
	uint32_t dest;
	bool open, linger, installed;
	uint32_t number;	 /* of the datagram that it has sent */
	unsigned asking, answer; /* bytes of a request, and of its answer, that are to come */
	uint64_t pending;	 /* the tag of what is not answered */
};

struct ring {
	struct slot *slots;
	struct ring_answer *answers;			 /* a circle */
	unsigned room, head, tail, shown, queued, scans; /* what a submit has answered is shown */
};

void fake_boot(uint32_t ports)
{
	memset(&fake, 0, sizeof(fake));
	fake.ports = ports;
	fake.submit_ns = 1000;
	fake.quiet_ns = INT64_MAX;
	fake.heir_room = UINT32_MAX;
	dying_first = dying_end = 0;
}

/* ---- sys/clock.h --------------------------------------------------------- */

static void bury(void)
{
	while (dying_first != dying_end && dying[dying_first].until_ns <= fake.now_ns) {
		fake.in_use[dying[dying_first].dest]--;
		dying_first = (dying_first + 1) % FAKE_DYING;
	}
}

int64_t clock_now(void)
{
	return fake.now_ns;
}

void clock_sleep(int64_t ns)
{
	fake.now_ns += ns;
	bury();
}

/* ---- sys/ring.h ---------------------------------------------------------- */

bool ring_open(struct ring **out, unsigned slots, struct arena *arena, struct err *err)
{
	struct ring *r = ARENA_NEW(arena, struct ring);

	(void)err;
	r->room = 2 * slots + 64;
	r->slots = calloc(slots, sizeof(*r->slots));
	r->answers = calloc(r->room, sizeof(*r->answers));
	fake.rings_open++;
	*out = r;
	return r->slots && r->answers;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	free(ring->slots);
	free(ring->answers);
	fake.rings_open--;
}

static void say(struct ring *r, uint64_t tag, int result)
{
	r->answers[r->tail] = (struct ring_answer){tag, result};
	r->tail = (r->tail + 1) % r->room;
}

void ring_socket(struct ring *ring, unsigned slot, int domain, bool multipath, uint64_t tag)
{
	(void)domain, (void)multipath;
	ring->queued++;
	ring->slots[slot] = (struct slot){0};
	say(ring, tag,
	    fake.socket_error && fake.sockets >= fake.sockets_fine ? -fake.socket_error : 0);
	fake.sockets++;
}

bool ring_keep_rights(struct ring *ring, struct err *err)
{
	(void)ring, (void)err;
	fake.rights_kept++;
	return true;
}

void ring_option(struct ring *ring, unsigned slot, const struct option *option, uint64_t tag)
{
	ring->queued++;
	fake.options++;
	fake.windows += option->level == IPPROTO_IP && option->name == 51;
	if (option->level == SOL_SOCKET && option->name == SO_LINGER) {
		fake.lingers++;
		ring->slots[slot].linger = true;
	}
	say(ring, tag, 0);
}

void ring_bind(struct ring *ring, unsigned slot, const struct endpoint *at, uint64_t tag)
{
	(void)slot, (void)at;
	ring->queued++;
	ring->scans++;
	fake.binds++;
	say(ring, tag, 0);
}

/* One source: destinations differ in address or port. */
static uint32_t dest_of(const struct endpoint *to)
{
	return (ntohl(to->in.sin_addr.s_addr) * 7 + ntohs(to->in.sin_port)) % FAKE_DESTINATIONS;
}

void ring_connect(struct ring *ring, unsigned slot, const struct endpoint *to, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];

	ring->queued++;
	ring->scans++;
	fake.connects++;
	if (fake.interrupt_at == fake.connects)
		*fake.interrupt = 2;
	if (fake.break_at == fake.connects)
		atomic_store(fake.broken, true);
	s->dest = dest_of(to);
	if (fake.in_use[s->dest] >= fake.ports) {
		fake.refused++;
		say(ring, tag, -EADDRNOTAVAIL);
		return;
	}
	fake.in_use[s->dest]++;
	s->open = true;
	if (fake.black_hole)
		s->pending = tag;
	else
		say(ring, tag, 0);
}

void ring_accept(struct ring *ring, int listener, unsigned slot, uint64_t tag)
{
	(void)listener, (void)slot;
	say(ring, tag, -ENOSYS);
}

static unsigned piece_of(unsigned len)
{
	return fake.piece && fake.piece < len ? fake.piece : len;
}

/* The answer is there as soon as all of its request is. */
void ring_send(struct ring *ring, unsigned slot, const void *bytes, unsigned len, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];
	unsigned n = piece_of(len);

	ring->queued++;
	fake.sends++;
	if (fake.send_error) {
		say(ring, tag, -fake.send_error);
		return;
	}
	if (s->asking == 0) {
		struct wire_head head = wire_read(bytes);

		s->asking = head.send_bytes;
		s->answer = head.receive_bytes;
		fake.mores += head.more;
	}
	s->asking -= n;
	fake.requests += s->asking == 0;
	say(ring, tag, (int)n);
}

void ring_receive(struct ring *ring, unsigned slot, void *buffer, unsigned len, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];
	unsigned n = piece_of(len < s->answer ? len : s->answer);

	(void)buffer;
	ring->queued++;
	if (fake.receive_error)
		say(ring, tag, -fake.receive_error);
	else if (fake.answers && s->answer)
		say(ring, tag, (int)n);
	else if (fake.far_closes)
		say(ring, tag, 0);
	else
		s->pending = tag;
	if (fake.answers)
		s->answer -= n;
}

static unsigned bytes_of(const struct msghdr *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->msg_iovlen; i++)
		n += m->msg_iov[i].iov_len;
	return (unsigned)n;
}

/* A datagram is taken whole; its answer has its number, unless it is a stray. */
void ring_send_message(struct ring *ring, unsigned slot, const struct msghdr *m, uint64_t tag)
{
	struct wire_query query = wire_query_read(m->msg_iov[0].iov_base);

	ring->queued++;
	fake.sends++;
	if (fake.send_error) {
		say(ring, tag, -fake.send_error);
		return;
	}
	ring->slots[slot].number = query.number;
	ring->slots[slot].answer = query.receive_bytes;
	fake.requests++;
	say(ring, tag, (int)bytes_of(m));
}

void ring_receive_message(struct ring *ring, unsigned slot, struct msghdr *m, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];
	struct wire_query query = {.number = s->number - (fake.strays > 0)};

	ring->queued++;
	if (fake.receive_error) {
		say(ring, tag, -fake.receive_error);
	} else if (fake.answers && s->answer && m->msg_iov[0].iov_len == WIRE_HEAD_BYTES) {
		wire_query_write(m->msg_iov[0].iov_base, query);
		say(ring, tag, (int)bytes_of(m));
	} else {
		s->pending = tag;
	}
	if (fake.strays)
		fake.strays--;
}

void ring_peek(struct ring *ring, unsigned slot, bool wait, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];

	ring->queued++;
	if (fake.gone && !wait) {
		fake.gone--;
		say(ring, tag, -fake.gone_error);
	} else if (fake.answers && s->answer)
		say(ring, tag, 1);
	else if (fake.drops_idle)
		say(ring, tag, 0);
	else if (!wait)
		say(ring, tag, -EAGAIN);
	else
		s->pending = tag;
}

void ring_shutdown(struct ring *ring, unsigned slot, uint64_t tag)
{
	(void)slot;
	ring->queued++;
	fake.shutdowns++;
	say(ring, tag, 0);
}

void ring_disconnect(struct ring *ring, unsigned slot, uint64_t tag)
{
	struct slot *s = &ring->slots[slot];

	ring->queued++;
	fake.disconnects++;
	fake.in_use[s->dest] -= s->open;
	s->open = false;
	say(ring, tag, 0);
}

void ring_clear(struct ring *ring, unsigned slot, uint64_t tag)
{
	(void)slot;
	ring->queued++;
	say(ring, tag, -ECONNRESET);
}

/* A descriptor that closes without harm. */
void ring_install(struct ring *ring, unsigned slot, uint64_t tag)
{
	ring->queued++;
	ring->slots[slot].installed = true;
	say(ring, tag, fake.install_error ? -fake.install_error : dup(STDIN_FILENO));
}

/* A RST, a connect that never was one, and a far end that closed first leave no TIME_WAIT. */
void ring_shut(struct ring *ring, unsigned slot, bool lingers, uint64_t tag)
{
	(void)lingers;
	struct slot *s = &ring->slots[slot];
	bool at_once = s->linger || fake.far_closes || fake.black_hole || fake.quiet_ns == 0;

	ring->queued++;
	say(ring, tag, 0);
	if (!s->open || s->installed)
		return;
	s->open = false;
	if (at_once) {
		fake.in_use[s->dest]--;
	} else if (fake.quiet_ns != INT64_MAX) {
		dying[dying_end].until_ns = fake.now_ns + fake.quiet_ns;
		dying[dying_end].dest = s->dest;
		dying_end = (dying_end + 1) % FAKE_DYING;
	}
}

void ring_cancel(struct ring *ring, uint64_t tag)
{
	ring->queued++;
	fake.cancels++;
	for (unsigned i = 0; i < ring->room / 2 - 32; i++) {
		if (ring->slots[i].pending != tag)
			continue;
		ring->slots[i].pending = 0;
		say(ring, tag, -ECANCELED);
	}
}

int ring_adopt(struct ring *ring, unsigned slot, int fd)
{
	(void)fd;
	ring->slots[slot] = (struct slot){0};
	return 0;
}

unsigned ring_queued(const struct ring *ring)
{
	return ring->queued;
}

unsigned ring_scans(const struct ring *ring)
{
	return ring->scans;
}

bool ring_submit(struct ring *ring, struct err *err)
{
	if (ring->queued) {
		int64_t cost_ns = fake.submit_ns + ring->queued * fake.operation_ns +
				  ring->scans * fake.scan_ns;

		fake.now_ns += cost_ns;
		fake.slowest_ns = cost_ns > fake.slowest_ns ? cost_ns : fake.slowest_ns;
		fake.batch = ring->queued > fake.batch ? ring->queued : fake.batch;
		bury();
	}
	ring->queued = ring->scans = 0;
	ring->shown = ring->tail;
	return fake.submit_error == 0 ||
	       err_sys(err, fake.submit_error, "could not submit to io_uring");
}

unsigned ring_reap(struct ring *ring, struct ring_answer *out, unsigned most)
{
	unsigned n = 0;

	while (n < most && ring->head != ring->shown) {
		out[n++] = ring->answers[ring->head];
		ring->head = (ring->head + 1) % ring->room;
	}
	return n;
}

void rings_wait(struct ring *const *rings, unsigned n, int wake_fd, int64_t timeout_ns)
{
	(void)wake_fd;
	fake.waits++;
	for (unsigned i = 0; i < n; i++)
		if (rings[i]->head != rings[i]->shown)
			return;
	clock_sleep(timeout_ns > 0 ? timeout_ns : 1);
}
