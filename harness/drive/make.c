/* Sockets by system calls: lastport's own, or those of a process that has few descriptors. */
#include "drive/work.h"

#include "sys/plain.h"

/* load.nofile: the load's process closes its descriptor of the flow's socket, if it has one. */
void work_let_go(struct worker *w, uint32_t i)
{
	int *number = w->numbers ? &w->numbers[w->flows[i].slot] : NULL;

	if (!number || *number == 0)
		return;
	maker_close(&w->maker, *number);
	*number = 0;
}

/* A socket of that process, where there is one: what a slot had before is not closed until then. */
bool work_make(struct worker *w, uint32_t i, const struct socket_wish *wish, int *fd,
	       enum stage *stage)
{
	const struct maker_wish its = {
		.domain = family_domain(wish->family),
		.type = wish->protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM,
		.protocol = wish->multipath ? IPPROTO_MPTCP : 0,
	};
	struct made made;

	if (!w->numbers) {
		*fd = socket_make(wish, stage);
		return true;
	}
	work_let_go(w, i);
	if (!maker_socket(&made, &w->maker, &its, w->err))
		return false;
	w->numbers[w->flows[i].slot] = made.number;
	*stage = STAGE_SOCKET;
	*fd = made.fd < 0 ? made.fd : socket_prepare(made.fd, wish, stage);
	if (*fd < 0)
		work_let_go(w, i);
	return true;
}
