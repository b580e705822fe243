/* address.h - an IP address of either family, as one value.
 *
 * An IPv4 address is held as ::ffff:a.b.c.d, its IPv4-mapped form, as the kernel holds it in a
 * socket of AF_INET6: so one comparison does for both families, and a mapped socket and one of
 * AF_INET, which share their ports, are counted together.
 *
 * Units:  host order.
 * Errors: none; pure. What is no address is false.
 * Source: RFC 4291, 2.5.5.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct address {
	uint64_t high, low;
};

struct address_list {
	struct address *list;
	uint32_t count;
};

enum { ADDRESS_PRINTED = 46 }; /* INET6_ADDRSTRLEN */

struct address address_ipv4(uint32_t a);
bool address_is_ipv4(struct address a);
bool address_is_any(struct address a);	      /* 0.0.0.0 or :: */
bool address_is_link_local(struct address a); /* fe80::/10: RFC 4291, 2.5.6 */
bool address_eq(struct address a, struct address b);
int address_order(struct address a, struct address b); /* for qsort(): below 0, 0, above 0 */
struct address address_after(struct address a, uint32_t n);

/* Its bytes in network order; those of an IPv4 address are the last four. */
void address_bytes(struct address a, uint8_t out[16]);
struct address address_of_bytes(const uint8_t bytes[16]);

/* "10.77.0.1", "fd77::1"; a scope such as %veth0 is no part of an address. */
bool address_read(struct text t, struct address *out);

/* "10.0.0.1:443", "[2001:db8::1]:443"; without a port as above, and that is 0. False: both are left
 * alone. */
bool address_port_read(struct text t, struct address *out, uint16_t *port);
const char *address_print(char z[ADDRESS_PRINTED], struct address a); /* z */
