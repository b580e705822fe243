#include "plan/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "plan/bind.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* Linux 6.3; include/uapi/linux/in.h */
#endif

enum { OPTIONS_MOST = 16, MILLISECOND = 1000000 };

#define SECOND INT64_C(1000000000)

/* A value in the arena: what an option points to outlives the plan's making. */
static void add(struct load_plan *lp, struct arena *a, int level, int name, const void *value,
		uint32_t len)
{
	void *kept = arena_take(a, len, _Alignof(struct linger));

	memcpy(kept, value, len);
	lp->options[lp->option_count++] = (struct option){level, name, kept, len, name == SO_MARK};
}

/* An option that is one number; what is not wished for keeps the kernel's own value. */
struct number_row {
	bool wanted;
	int level, name, value;
};

static void add_numbers(struct load_plan *lp, struct arena *a, const struct number_row *rows,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].wanted)
			add(lp, a, rows[i].level, rows[i].name, &rows[i].value,
			    sizeof(rows[i].value));
}

static void add_keepalive(struct load_plan *lp, struct arena *a)
{
	int idle = (int)(lp->load->options.keepalive.idle / SECOND),
	    interval = (int)(lp->load->options.keepalive.interval / SECOND),
	    count = (int)lp->load->options.keepalive.count;
	const struct number_row rows[] = {
		{idle > 0, SOL_SOCKET, SO_KEEPALIVE, 1},
		{idle > 0, IPPROTO_TCP, TCP_KEEPIDLE, idle},
		{interval > 0, IPPROTO_TCP, TCP_KEEPINTVL, interval},
		{count > 0, IPPROTO_TCP, TCP_KEEPCNT, count},
	};

	add_numbers(lp, a, rows, sizeof(rows) / sizeof(rows[0]));
}

void options_make(struct load_plan *lp, struct arena *a)
{
	const struct load *l = lp->load;
	int64_t linger_ns = l->options.linger;
	const struct linger linger = {.l_onoff = 1, .l_linger = (int)(linger_ns / SECOND)};
	const struct number_row rows[] = {
		{l->options.reuseaddr, SOL_SOCKET, SO_REUSEADDR, 1},
		{l->options.reuseport, SOL_SOCKET, SO_REUSEPORT, 1},
		{l->options.mark > 0, SOL_SOCKET, SO_MARK, (int)(uint32_t)l->options.mark},
		{l->options.v6only, IPPROTO_IPV6, IPV6_V6ONLY, 1},
		{l->options.nodelay, IPPROTO_TCP, TCP_NODELAY, 1},
		{l->options.syn_count > 0, IPPROTO_TCP, TCP_SYNCNT, (int)l->options.syn_count},
		{l->options.user_timeout > 0, IPPROTO_TCP, TCP_USER_TIMEOUT,
		 (int)(l->options.user_timeout / MILLISECOND)},
		{lp->bind_source && !bind_takes_port(lp->bind), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
		 1},
		{lp->bind == BIND_LOCAL_PORT_RANGE, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
		 (int)(lp->ports.lo | (uint32_t)lp->ports.hi << 16)},
	};

	lp->options = ARENA_ARRAY(a, struct option, OPTIONS_MOST);
	if (!text_is(l->options.device, "any"))
		add(lp, a, SOL_SOCKET, SO_BINDTODEVICE, l->options.device.s,
		    (uint32_t)l->options.device.len);
	add_numbers(lp, a, rows, sizeof(rows) / sizeof(rows[0]));
	add_keepalive(lp, a);
	if (linger_ns != LINGER_NONE)
		add(lp, a, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	for (uint32_t i = 0; i < lp->option_count; i++)
		lp->needs_rights |= lp->options[i].needs_rights;
}
