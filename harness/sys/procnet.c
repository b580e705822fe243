#include "sys/procnet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CLOSED = 7,
	LISTENING = 10,
	BOUND_ONLY = 12, /* ours for a CLOSED one, as in sys/sockets.c */
	STATES_KNOWN,
	TIMER_TIME_WAIT = 3,
	IPV4_DIGITS = 8,
	IPV6_DIGITS = 32,
};

/* Of USER_HZ, which is 100 everywhere: include/asm-generic/param.h. */
#define TICK_NS INT64_C(10000000)

/* The next word, of blanks as many as there are. */
static struct text next_word(struct text *rest)
{
	struct text word;

	*rest = text_skip(*rest, text_span(*rest, " "));
	word = (struct text){rest->s, 0};
	while (word.len < rest->len && rest->s[word.len] != ' ')
		word.len++;
	*rest = text_skip(*rest, word.len);
	return word;
}

static bool read_digits(struct text t, unsigned base, uint64_t *out)
{
	uint64_t n = 0;

	if (t.len == 0 || t.len > 16)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		char c = t.s[i];
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							: base;

		if (digit >= base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return true;
}

/* Each 32 bits of an address are printed as the number that this machine takes them for. */
static bool read_address(struct text digits, struct address *out)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	size_t at = digits.len == IPV4_DIGITS ? 12 : 0;

	if (digits.len != IPV4_DIGITS && digits.len != IPV6_DIGITS)
		return false;
	for (; digits.len; digits = text_skip(digits, 8), at += 4) {
		uint64_t n;
		uint32_t word;

		if (!read_digits((struct text){digits.s, 8}, 16, &n))
			return false;
		word = (uint32_t)n;
		memcpy(bytes + at, &word, sizeof(word));
	}
	*out = address_of_bytes(bytes);
	return true;
}

/* "0100007F:1F90" */
static bool read_end(struct text word, struct address *address, uint16_t *port)
{
	struct text digits;
	uint64_t n;

	if (!text_cut(&word, ':', &digits) || word.len != 4 || !read_digits(word, 16, &n))
		return false;
	*port = (uint16_t)n;
	return read_address(digits, address);
}

/* "03:00001770": which timer, and its ticks. */
static bool read_timer(struct text word, int64_t *gone_ns)
{
	struct text which;
	uint64_t timer, ticks;

	if (!text_cut(&word, ':', &which) || !read_digits(which, 16, &timer) ||
	    !read_digits(word, 16, &ticks))
		return false;
	*gone_ns = timer == TIMER_TIME_WAIT && ticks <= UINT32_MAX ? (int64_t)ticks * TICK_NS : -1;
	return true;
}

bool procnet_parse(struct text line, bool datagrams, struct socket_seen *out)
{
	struct text state, timer, inode;
	uint64_t n, number;

	*out = (struct socket_seen){.datagrams = datagrams, .gone_ns = -1};
	next_word(&line); /* "12:" */
	if (!read_end(next_word(&line), &out->local, &out->local_port) ||
	    !read_end(next_word(&line), &out->remote, &out->remote_port))
		return false;
	state = next_word(&line);
	next_word(&line); /* queues */
	timer = next_word(&line);
	next_word(&line); /* retransmits */
	next_word(&line); /* uid */
	next_word(&line); /* timeout */
	inode = next_word(&line);
	if (!read_digits(state, 16, &n) || n == 0 || n >= STATES_KNOWN ||
	    !read_timer(timer, &out->gone_ns) || !read_digits(inode, 10, &number))
		return false;
	out->state = n == CLOSED ? BOUND_ONLY : (uint8_t)n;
	out->inode = (uint32_t)number;
	return true;
}

static bool is_wished(const struct procnet_wish *wish, const struct socket_seen *seen)
{
	const struct remote *to = wish->to;

	return wish->states >> seen->state & 1 && seen->local_port >= wish->ports.lo &&
	       seen->local_port <= wish->ports.hi &&
	       (!to || (address_eq(seen->remote, to->address) &&
			(to->port == 0 || to->port == seen->remote_port)));
}

size_t procnet_lines(const struct procnet_wish *wish, struct text text,
		     void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		     bool *over)
{
	bool listeners_only = wish->states == 1U << LISTENING;
	struct text rest = text, line;

	while (!*over && text_cut(&rest, '\n', &line)) {
		struct socket_seen seen;
		bool is_head = line.len && line.s[text_span(line, " ")] == 's';

		if (is_head)
			continue;
		if (!procnet_parse(line, wish->datagrams, &seen)) {
			*torn = true;
			continue;
		}
		*over = listeners_only && seen.state != LISTENING;
		if (is_wished(wish, &seen))
			each(context, &seen);
	}
	return text.len - rest.len;
}

static int procnet_open(const struct procnet_wish *wish)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s%s", wish->datagrams ? "udp" : "tcp",
		 wish->domain == AF_INET6 ? "6" : "");
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool procnet_read(const struct procnet_wish *wish, char *buffer, size_t room,
		  void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		  struct err *err)
{
	int fd = procnet_open(wish);
	bool over = false;
	size_t kept = 0;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT && wish->domain == AF_INET6)
		return true; /* this kernel has no IPv6 */
	if (fd < 0)
		return err_sys(err, errno, "could not list sockets from /proc");
	while (!over && (n = read(fd, buffer + kept, room - kept)) != 0) {
		size_t len, used;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len = kept + (size_t)n;
		used = procnet_lines(wish, (struct text){buffer, len}, each, context, torn, &over);
		kept = len - used;
		memmove(buffer, buffer + used, kept);
		*torn |= kept == room; /* no line is as long */
		kept = kept == room ? 0 : kept;
	}
	close(fd);
	return n >= 0 || err_sys(err, errno, "could not list sockets from /proc");
}
