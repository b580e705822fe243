#include "sys/netfilter.h"

#include <errno.h>
#include <libmnl/libmnl.h>

struct mnl_socket *netfilter_open(const char *what, struct err *err)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return nl;
	err_sys(err, errno, "%s", what);
	if (nl)
		mnl_socket_close(nl);
	return NULL;
}

void netfilter_close(void **netlink)
{
	if (*netlink)
		mnl_socket_close(*netlink);
	*netlink = NULL;
}
