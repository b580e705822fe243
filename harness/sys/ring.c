#include "sys/ring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"

/* What Debian 12's headers lack (include/uapi/linux/io_uring.h): numbers of Linux 6.7 to 6.11. */
enum { OP_INSTALL_6_8 = 54, OP_BIND_6_11 = 56, COMMAND_SETSOCKOPT_6_7 = 3 };

/* Entries of the queues: of submissions some batches, of completions what a burst may bring;
 * what does not fit there the kernel keeps until it is asked (IORING_FEAT_NODROP). Their memory
 * is charged to the user's RLIMIT_MEMLOCK, 8 MiB by default: with 512 and 1,024 of them no more
 * than 114 rings could be had. */
enum { SUBMISSIONS = 64, COMPLETIONS = 512, RINGS_POLLED = 256, TRIES = 1000 };

struct ring {
	struct io_uring uring;
	struct io_uring_sqe lost; /* where an ask goes that finds no room: nowhere */
	int rights;		  /* a personality, io_uring_register(2); 0: none */
	unsigned scans;		  /* connects and binds that are queued */
	int failed; /* errno of a submit that failed inside an ask: for ring_submit() to tell */
};

static bool refuse_setup(struct err *err, int error)
{
	err_set(err, ERR_HOST, "cannot set up io_uring: %s", strerror(error));
	return err_hint(err, "%s", host_io_uring_mend(error));
}

bool ring_open(struct ring **out, unsigned slots, struct arena *arena, struct err *err)
{
	struct ring *ring = ARENA_NEW(arena, struct ring);
	/* Answers are posted when the thread enters the kernel anyway: it need not be
	 * interrupted for them (5.19). */
	struct io_uring_params params = {
		.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};
	int e = io_uring_queue_init_params(SUBMISSIONS, &ring->uring, &params);

	if (e == -EINVAL) {
		params = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE,
						  .cq_entries = COMPLETIONS};
		e = io_uring_queue_init_params(SUBMISSIONS, &ring->uring, &params);
	}
	if (e < 0)
		return refuse_setup(err, -e);
	/* A child would keep the ring alive by its maps, and with it every socket in it. */
	e = io_uring_ring_dontfork(&ring->uring);
	if (e < 0) {
		io_uring_queue_exit(&ring->uring);
		return refuse_setup(err, -e);
	}
	e = io_uring_register_files_sparse(&ring->uring, slots);
	if (e < 0) {
		io_uring_queue_exit(&ring->uring);
		err_set(err, ERR_HOST, "cannot have a table of %u io_uring descriptors: %s", slots,
			strerror(-e));
		return err_hint(
			err,
			"Raise the hard limit of open files (ulimit -Hn), or use a smaller range.");
	}
	*out = ring;
	return true;
}

bool ring_keep_rights(struct ring *ring, struct err *err)
{
	ring->rights = io_uring_register_personality(&ring->uring);
	return ring->rights > 0 ||
	       err_sys(err, -ring->rights, "could not register rights with io_uring");
}

void ring_close(struct ring *ring)
{
	if (ring)
		io_uring_queue_exit(&ring->uring);
}

/* A full queue is normal: submit, try again. A submit that fails is kept for ring_submit() to
 * tell: the ask is lost then, and so is the ring. */
static struct io_uring_sqe *sqe_next(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	for (unsigned tries = 0; !sqe; tries++) {
		int e = io_uring_submit(&ring->uring);

		if (e == -EBUSY) /* answers that found no room wait in the kernel */
			io_uring_get_events(&ring->uring);
		if (e < 0 && ((e != -EINTR && e != -EAGAIN && e != -EBUSY) || tries == TRIES)) {
			ring->failed = -e;
			sqe = &ring->lost;
			break;
		}
		sqe = io_uring_get_sqe(&ring->uring);
	}
	memset(sqe, 0, sizeof(*sqe));
	return sqe;
}

/* Of an operation on a slot of the ring's, once it is prepared: io_uring_prep_*() clears both. */
static void sqe_direct(struct io_uring_sqe *sqe, uint64_t tag)
{
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->user_data = tag;
}

/* One that the library has no name for. */
static struct io_uring_sqe *sqe_raw(struct ring *ring, uint8_t opcode, unsigned slot, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	sqe->opcode = opcode;
	sqe->fd = (int)slot;
	sqe_direct(sqe, tag);
	return sqe;
}

void ring_socket(struct ring *ring, unsigned slot, int domain, bool multipath, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_socket_direct(sqe, domain, SOCK_STREAM, multipath ? IPPROTO_MPTCP : 0, slot,
				    0);
	sqe->user_data = tag;
}

/* A socket command: layout of struct io_uring_sqe since 6.7, of which older headers lack the
 * names. */
void ring_option(struct ring *ring, unsigned slot, const struct option *option, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_raw(ring, IORING_OP_URING_CMD, slot, tag);
	uint64_t address = (uintptr_t)option->value;
	uint32_t word[2] = {(uint32_t)option->level, (uint32_t)option->name};

	sqe->off = COMMAND_SETSOCKOPT_6_7;		     /* cmd_op */
	memcpy(&sqe->addr, word, sizeof(word));		     /* level, optname */
	sqe->file_index = option->len;			     /* optlen */
	memcpy((char *)sqe + 48, &address, sizeof(address)); /* optval */
	if (option->needs_rights)
		sqe->personality = (uint16_t)ring->rights;
}

void ring_bind(struct ring *ring, unsigned slot, const struct endpoint *at, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_raw(ring, OP_BIND_6_11, slot, tag);

	ring->scans++;
	sqe->addr = (uintptr_t)&at->any;
	sqe->off = at->len;
}

void ring_connect(struct ring *ring, unsigned slot, const struct endpoint *to, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	ring->scans++;
	io_uring_prep_connect(sqe, (int)slot, &to->any, to->len);
	sqe_direct(sqe, tag);
}

void ring_accept(struct ring *ring, int listener, unsigned slot, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_accept_direct(sqe, listener, NULL, NULL, 0, slot);
	sqe->user_data = tag;
}

void ring_receive(struct ring *ring, unsigned slot, void *buffer, unsigned len, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_recv(sqe, (int)slot, buffer, len, 0);
	sqe_direct(sqe, tag);
}

void ring_peek(struct ring *ring, unsigned slot, bool wait, uint64_t tag)
{
	static char byte[1];
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_recv(sqe, (int)slot, byte, sizeof(byte),
			   MSG_PEEK | (wait ? 0 : MSG_DONTWAIT));
	sqe_direct(sqe, tag);
}

void ring_send(struct ring *ring, unsigned slot, const void *bytes, unsigned len, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_send(sqe, (int)slot, bytes, len, MSG_NOSIGNAL);
	sqe_direct(sqe, tag);
}

void ring_send_message(struct ring *ring, unsigned slot, const struct msghdr *m, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_sendmsg(sqe, (int)slot, m, MSG_NOSIGNAL);
	sqe_direct(sqe, tag);
}

void ring_receive_message(struct ring *ring, unsigned slot, struct msghdr *m, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_recvmsg(sqe, (int)slot, m, 0);
	sqe_direct(sqe, tag);
}

void ring_shutdown(struct ring *ring, unsigned slot, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_shutdown(sqe, (int)slot, SHUT_WR);
	sqe_direct(sqe, tag);
}

void ring_disconnect(struct ring *ring, unsigned slot, uint64_t tag)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_connect(sqe, (int)slot, &nowhere, sizeof(nowhere));
	sqe_direct(sqe, tag);
}

/* tcp_disconnect() leaves ECONNRESET in sk_err, and a later connect through io_uring would be
 * woken by it (EALREADY); recv() takes it out, and never waits on a socket that is closed. */
void ring_clear(struct ring *ring, unsigned slot, uint64_t tag)
{
	static char nothing[1];
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_recv(sqe, (int)slot, nothing, sizeof(nothing), MSG_DONTWAIT);
	sqe_direct(sqe, tag);
}

void ring_install(struct ring *ring, unsigned slot, uint64_t tag)
{
	sqe_raw(ring, OP_INSTALL_6_8, slot, tag);
}

void ring_shut(struct ring *ring, unsigned slot, bool lingers, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_close_direct(sqe, slot);
	if (lingers)
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	sqe->user_data = tag;
}

void ring_cancel(struct ring *ring, uint64_t tag)
{
	struct io_uring_sqe *sqe = sqe_next(ring);

	io_uring_prep_cancel64(sqe, tag, 0);
	sqe->user_data = 0; /* ring_reap() keeps its answer to itself */
}

int ring_adopt(struct ring *ring, unsigned slot, int fd)
{
	int e = io_uring_register_files_update(&ring->uring, slot, &fd, 1);

	close(fd);
	return e < 0 ? e : 0;
}

int ring_lend(struct ring *ring, unsigned slot)
{
	struct io_uring_cqe *cqe;
	int fd;

	sqe_raw(ring, OP_INSTALL_6_8, slot, 0);
	if (ring->failed)
		return -EBUSY;
	fd = io_uring_submit_and_wait(&ring->uring, 1);
	if (fd < 0 || (fd = io_uring_wait_cqe(&ring->uring, &cqe)) < 0)
		return fd;
	fd = cqe->res;
	io_uring_cqe_seen(&ring->uring, cqe);
	return fd;
}

unsigned ring_queued(const struct ring *ring)
{
	return io_uring_sq_ready(&ring->uring);
}

unsigned ring_scans(const struct ring *ring)
{
	return ring->scans;
}

/* EINTR, EAGAIN and EBUSY leave what was not taken in the queue: it goes with the next submit. */
bool ring_submit(struct ring *ring, struct err *err)
{
	int e = ring->failed ? -ring->failed : 0;

	if (e == 0 && io_uring_sq_ready(&ring->uring))
		e = io_uring_submit(&ring->uring);
	ring->scans = 0;
	if (e < 0 && e != -EINTR && e != -EAGAIN && e != -EBUSY)
		return err_sys(err, -e, "could not submit to io_uring");
	return true;
}

unsigned ring_reap(struct ring *ring, struct ring_answer *out, unsigned most)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0, n = 0;

	if (io_uring_cq_has_overflow(&ring->uring))
		io_uring_get_events(&ring->uring);
	io_uring_for_each_cqe (&ring->uring, head, cqe) {
		if (n == most)
			break;
		seen++;
		if (cqe->user_data == 0)
			continue;
		out[n++] = (struct ring_answer){cqe->user_data, cqe->res};
	}
	io_uring_cq_advance(&ring->uring, seen);
	return n;
}

void rings_wait(struct ring *const *rings, unsigned n, int wake_fd, int64_t timeout_ns)
{
	struct pollfd fds[RINGS_POLLED + 1];
	struct timespec timeout = {.tv_sec = timeout_ns / 1000000000,
				   .tv_nsec = timeout_ns % 1000000000};

	if (n > RINGS_POLLED) /* plan/size.c allows no more */
		n = RINGS_POLLED;
	for (unsigned i = 0; i < n; i++) {
		if (io_uring_cq_ready(&rings[i]->uring))
			return;
		fds[i] = (struct pollfd){.fd = rings[i]->uring.ring_fd, .events = POLLIN};
	}
	fds[n] = (struct pollfd){.fd = wake_fd,
				 .events = POLLIN}; /* poll(2) passes over a negative one */
	ppoll(fds, n + 1, &timeout, NULL);
}
