#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

static const uint64_t mapped = UINT64_C(0xffff00000000);

struct address address_ipv4(uint32_t a)
{
	return (struct address){0, mapped | a};
}

bool address_is_ipv4(struct address a)
{
	return a.high == 0 && a.low >> 32 == mapped >> 32;
}

bool address_is_any(struct address a)
{
	return a.high == 0 && (a.low == 0 || a.low == mapped);
}

bool address_is_link_local(struct address a)
{
	return a.high >> 54 == 0xfe80 >> 6;
}

bool address_eq(struct address a, struct address b)
{
	return a.high == b.high && a.low == b.low;
}

int address_order(struct address a, struct address b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return a.low < b.low ? -1 : a.low > b.low;
}

struct address address_after(struct address a, uint32_t n)
{
	struct address next = {a.high, a.low + n};

	next.high += next.low < a.low;
	return next;
}

void address_bytes(struct address a, uint8_t out[16])
{
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)(a.high >> (56 - 8 * i));
		out[i + 8] = (uint8_t)(a.low >> (56 - 8 * i));
	}
}

struct address address_of_bytes(const uint8_t bytes[16])
{
	struct address a = {0, 0};

	for (int i = 0; i < 8; i++) {
		a.high = a.high << 8 | bytes[i];
		a.low = a.low << 8 | bytes[i + 8];
	}
	return a;
}

bool address_read(struct text t, struct address *out)
{
	char z[ADDRESS_PRINTED];
	uint8_t bytes[16];

	if (t.len == 0 || t.len >= sizeof(z) || memchr(t.s, 0, t.len))
		return false;
	memcpy(z, t.s, t.len);
	z[t.len] = '\0';
	if (inet_pton(AF_INET, z, bytes) == 1)
		*out = address_ipv4((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
				    (uint32_t)bytes[2] << 8 | bytes[3]);
	else if (inet_pton(AF_INET6, z, bytes) == 1)
		*out = address_of_bytes(bytes);
	else
		return false;
	return true;
}

const char *address_print(char z[ADDRESS_PRINTED], struct address a)
{
	bool is_ipv4 = address_is_ipv4(a);
	uint8_t bytes[16];

	address_bytes(a, bytes);
	inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes + (is_ipv4 ? 12 : 0), z, ADDRESS_PRINTED);
	return z;
}

static bool read_port(struct text t, uint16_t *port)
{
	uint32_t n = 0;

	if (t.len == 0 || t.len > 5 || text_span(t, "0123456789") < t.len)
		return false;
	for (size_t i = 0; i < t.len; i++)
		n = n * 10 + (uint32_t)(t.s[i] - '0');
	*port = (uint16_t)n;
	return n > 0 && n <= UINT16_MAX;
}

/* Brackets are for what has colons itself. */
static bool read_both(struct text t, struct address *out, uint16_t *port)
{
	bool brackets = text_starts(t, TEXT("["));
	struct text rest = text_skip(t, brackets), address;

	if (!brackets && address_read(t, out))
		return true;
	if (!text_cut(&rest, brackets ? ']' : ':', &address) || !address_read(address, out) ||
	    (brackets && !memchr(address.s, ':', address.len)))
		return false;
	if (!brackets)
		return read_port(rest, port);
	return rest.len == 0 ||
	       (text_starts(rest, TEXT(":")) && read_port(text_skip(rest, 1), port));
}

bool address_port_read(struct text t, struct address *out, uint16_t *port)
{
	struct address a;
	uint16_t number = 0;

	if (!read_both(t, &a, &number))
		return false;
	*out = a;
	*port = number;
	return true;
}
