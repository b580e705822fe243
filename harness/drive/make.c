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
int work_make(struct worker *w, uint32_t i, struct socket_wish *wish, enum stage *stage)
{
	int type = wish->protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM, fd;

	if (!w->numbers)
		return socket_make(wish, stage);
	work_let_go(w, i);
	*stage = STAGE_SOCKET;
	wish->made =
		maker_socket(&w->maker, family_domain(wish->family), type,
			     wish->multipath ? IPPROTO_MPTCP : 0, &w->numbers[w->flows[i].slot]);
	if (wish->made < 0) {
		w->numbers[w->flows[i].slot] = 0;
		return wish->made;
	}
	fd = socket_make(wish, stage);
	if (fd < 0)
		work_let_go(w, i);
	return fd;
}
