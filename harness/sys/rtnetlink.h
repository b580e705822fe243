/* rtnetlink.h - links, addresses and routes of the network namespace the calling thread is in.
 *
 * Every request waits for the kernel's answer.
 *
 * Ownership: a door is closed by rtnetlink_close(); twice does no harm. It stays with the
 *            namespace it was opened in.
 * Errors:    ERR_SYS, with what could not be done and the kernel's own words where it has some.
 * Source:    rtnetlink(7); NETLINK_EXT_ACK, include/uapi/linux/netlink.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

struct rtnetlink {
	void *socket; /* struct mnl_socket; NULL: closed */
	uint32_t seq;
};

bool rtnetlink_open(struct rtnetlink *out, struct err *err);
void rtnetlink_close(struct rtnetlink *rt);

/* The ends of a veth pair: here, where it was made, and there. Each has its hardware address, of any pair the
 * same. */
enum veth_end { VETH_HERE, VETH_THERE };

/* A veth pair: one end here, the other in the namespace `peer_ns` is a descriptor of. Both are
 * down. */
bool rtnetlink_veth(struct rtnetlink *rt, const char *name, const char *peer, int peer_ns,
		    struct err *err);

/* Each by itself: no others are neighbours for it. Those of IPv6 are usable at once, without
 * asking whether another has them (IFA_F_NODAD). */
bool rtnetlink_addresses(struct rtnetlink *rt, const char *link, const struct address_list *all,
			 struct err *err);

/* The same, but those of IPv6 are tentative until the link has been asked (RFC 4862, 5.4), where
 * accept_dad says so: nothing can be bound to them. */
bool rtnetlink_addresses_tentative(struct rtnetlink *rt, const char *link,
				   const struct address_list *all, struct err *err);

bool rtnetlink_addresses_remove(struct rtnetlink *rt, const char *link,
				const struct address_list *all, struct err *err);

bool rtnetlink_up(struct rtnetlink *rt, const char *link, struct err *err);

/* Waits until packets pass through the link: both its ends are up, and the kernel has noticed. */
bool rtnetlink_await(struct rtnetlink *rt, const char *link, struct err *err);

/* Who has the address is the other end of the link, which is that end of its pair: nobody is asked for it, ever.
 * A neighbour that is asked for can be late: the first to ask is lost if the answer is, and the next one comes a
 * second later. */
bool rtnetlink_neighbour(struct rtnetlink *rt, const char *link, struct address a,
			 enum veth_end other, struct err *err);

/* Packets to `to`/`prefix` go out of the link, to the neighbour `via`; NULL: each address is a
 * neighbour itself. A prefix of 0 is every address of the family of `to`. */
bool rtnetlink_route(struct rtnetlink *rt, const char *link, struct address to, uint8_t prefix,
		     const struct address *via, struct err *err);
bool rtnetlink_route_remove(struct rtnetlink *rt, const char *link, struct address to,
			    uint8_t prefix, const struct address *via, struct err *err);
