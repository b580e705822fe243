/* ring.h - asks the kernel for many socket operations at once, and hands out its answers.
 *
 * A ring has a table of direct descriptors: sockets are slots of it, so they cost no descriptor
 * of the process, and several rings carry more of them than RLIMIT_NOFILE allows one table.
 * Whoever asks sees slots, tags and answers: an engine without io_uring can stand behind the
 * same door.
 *
 * Units:     answers are 0 or more, or -errno.
 * Ownership: a ring is in the arena; ring_close() gives its kernel side back. What an ask
 *            points to must stay until its answer has come.
 * Errors:    a full queue is submitted and tried again; an interrupted wait is no error.
 * Threads:   one thread asks; another may close, once that one is done.
 * Source:    io_uring_enter(2); include/uapi/linux/io_uring.h. Newer operations than liburing
 *            2.3 knows are filled in by hand, and used only where sys/facts.c saw them work.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/option.h"
#include "sys/endpoint.h"

struct ring;

struct ring_answer {
	uint64_t tag;
	int result;
};

/* `slots` is the size of the table: at most RLIMIT_NOFILE. */
bool ring_open(struct ring **out, unsigned slots, struct arena *, struct err *);
/* The calling thread's rights, as they are now, stay with the ring for options that need them, and
 * for nothing else, whatever the thread drops later. */
bool ring_keep_rights(struct ring *ring, struct err *);
void ring_close(struct ring *ring); /* all its sockets too; NULL does no harm */

/* Asks. Each is answered once, with its tag; a tag is not 0. */
/* Of TCP; multipath: of MPTCP. */
void ring_socket(struct ring *ring, unsigned slot, int domain, bool multipath, uint64_t tag);
void ring_option(struct ring *ring, unsigned slot, const struct option *option, uint64_t tag);
void ring_bind(struct ring *ring, unsigned slot, const struct endpoint *at, uint64_t tag);
void ring_connect(struct ring *ring, unsigned slot, const struct endpoint *to, uint64_t tag);
void ring_accept(struct ring *ring, int listener, unsigned slot, uint64_t tag);
void ring_receive(struct ring *ring, unsigned slot, void *buffer, unsigned len, uint64_t tag);

/* Whether there is a byte to receive, or the end of the stream, and leaves it there; with `wait`
 * until there is one, else -EAGAIN if there is none. */
void ring_peek(struct ring *ring, unsigned slot, bool wait, uint64_t tag);
void ring_send(struct ring *ring, unsigned slot, const void *bytes, unsigned len, uint64_t tag);

/* A datagram, in pieces. The header stays with whoever asks until the answer. */
void ring_send_message(struct ring *ring, unsigned slot, const struct msghdr *m, uint64_t tag);
void ring_receive_message(struct ring *ring, unsigned slot, struct msghdr *m, uint64_t tag);
void ring_shutdown(struct ring *ring, unsigned slot, uint64_t tag); /* its own half: a FIN */

/* The socket is as new, but for its options and the address it was bound to; the error that the
 * RST leaves in it is there for whoever receives next: connect would take it for its own. */
void ring_disconnect(struct ring *ring, unsigned slot, uint64_t tag);
void ring_clear(struct ring *ring, unsigned slot, uint64_t tag); /* takes that error */

/* Answers with a descriptor of the process for the socket in the slot, which keeps its own. */
void ring_install(struct ring *ring, unsigned slot, uint64_t tag);
/* Close. One that lingers (SO_LINGER above 0 s) waits for its FIN to be acknowledged: the kernel
 * has threads for that (IOSQE_ASYNC), so that the ring does not. */
void ring_shut(struct ring *ring, unsigned slot, bool lingers, uint64_t tag);

/* The ask with this tag is to be answered with -ECANCELED, if it has no answer yet. Has no
 * answer of its own. */
void ring_cancel(struct ring *ring, uint64_t tag);

/* Puts a plain descriptor into a slot, for kernels whose rings cannot prepare a socket; the
 * descriptor is closed. Answers at once, not through the ring: 0 or -errno. */
int ring_adopt(struct ring *ring, unsigned slot, int fd);

/* A plain descriptor of the socket in a slot, besides the slot, or -errno (Linux 6.8). For a ring
 * with nothing under way: an answer that comes first is lost. */
int ring_lend(struct ring *ring, unsigned slot);

unsigned ring_queued(const struct ring *ring); /* asks not yet submitted */
unsigned ring_scans(
	const struct ring *ring); /* of those, connects and binds: they may scan all ports */
bool ring_submit(struct ring *ring, struct err *);
unsigned ring_reap(struct ring *ring, struct ring_answer *out, unsigned most);

/* Waits until a ring has an answer, wake_fd can be read (-1: none), a signal came, or
 * timeout_ns is over. */
void rings_wait(struct ring *const *rings, unsigned n, int wake_fd, int64_t timeout_ns);
