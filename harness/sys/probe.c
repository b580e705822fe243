#include "sys/probe.h"

#include <assert.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What Debian 12's headers lack (include/uapi/linux/io_uring.h). */
enum {
	COMMAND_SETSOCKOPT = 3, /* Linux 6.7 */
	INSTALL_OPCODE = 54,	/* Linux 6.8 */
	BIND_OPCODE = 56,	/* Linux 6.11 */
};

enum { DEPTH = 4, SLOT = 0 };

/* An empty entry: there is always one, for each is submitted before the next is asked for. */
static struct io_uring_sqe *ask(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	assert(sqe);
	return memset(sqe, 0, sizeof(*sqe));
}

/* Submits what was asked, and waits for its answer: 0 or more, or -errno. */
static int answer(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int result = io_uring_submit_and_wait(ring, 1);

	if (result >= 0)
		result = io_uring_wait_cqe(ring, &cqe);
	if (result >= 0) {
		result = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	return result;
}

static int error_of(int result)
{
	return result < 0 ? -result : 0;
}

static int socket_try(struct io_uring *ring)
{
	int result = io_uring_register_files_sparse(ring, 1);

	if (result < 0)
		return -result;
	io_uring_prep_socket_direct(ask(ring), AF_INET, SOCK_STREAM, 0, SLOT, 0);
	return error_of(answer(ring));
}

/* IP_BIND_ADDRESS_NO_PORT, which the load needs, filled in by hand as io_uring_prep_cmd_sock()
 * of liburing 2.6 does. */
static int option_try(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = ask(ring);
	const int on = 1;
	const uint32_t level_and_name[] = {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}, len = sizeof(on);
	const uint64_t value = (uintptr_t)&on;

	sqe->opcode = IORING_OP_URING_CMD;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = SLOT;
	sqe->off = COMMAND_SETSOCKOPT;
	memcpy(&sqe->addr, level_and_name, sizeof(level_and_name));
	sqe->file_index = len;
	memcpy((char *)sqe + 48, &value, sizeof(value));
	return error_of(answer(ring));
}

static int bind_try(struct io_uring *ring)
{
	const struct sockaddr_in any = {.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct io_uring_sqe *sqe = ask(ring);

	sqe->opcode = BIND_OPCODE;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = SLOT;
	sqe->addr = (uintptr_t)&any;
	sqe->off = sizeof(any);
	return error_of(answer(ring));
}

static int install_try(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = ask(ring);
	int fd;

	sqe->opcode = INSTALL_OPCODE;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = SLOT;
	fd = answer(ring);
	if (fd >= 0)
		close(fd);
	return error_of(fd);
}

void probe_rings(struct host *out)
{
	struct io_uring ring;
	int result = io_uring_queue_init(DEPTH, &ring, 0);

	out->io_uring = result < 0 ? -result : 0;
	out->ring_socket = out->ring_option = out->ring_bind = out->ring_install = out->io_uring;
	if (out->io_uring)
		return;
	out->ring_socket = socket_try(&ring);
	out->ring_option = out->ring_socket ? out->ring_socket : option_try(&ring);
	out->ring_bind = out->ring_socket ? out->ring_socket : bind_try(&ring);
	out->ring_install = out->ring_socket ? out->ring_socket : install_try(&ring);
	io_uring_queue_exit(&ring);
}
