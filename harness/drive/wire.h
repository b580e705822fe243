/* wire.h - what a request says of itself, so that a far end needs no scenario to answer it.
 *
 * A request begins with a head of 8 bytes: how long all of it is, and how long its answer is to
 * be. The rest of it, and the answer, are zeroes.
 *
 * A datagram says itself how long it is: instead of that it has a number, with which its answer
 * begins, as far as that goes. So a late answer to another socket that had the same port is known
 * for what it is.
 *
 * Units: bytes; on the wire little endian, 32 bits each. The highest bit of the second says that
 *        another request of this connection will follow: a far end that closes first closes
 *        after the answer to one without it.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WIRE_HEAD_BYTES = 8 };
#define WIRE_ANSWER_MOST (UINT32_MAX >> 1)

struct wire_head {
	uint32_t send_bytes; /* of the whole request, its head included: at least WIRE_HEAD_BYTES */
	uint32_t receive_bytes; /* of the answer, at most WIRE_ANSWER_MOST */
	bool more;		/* another request will follow on this connection */
};

static inline void wire_write(unsigned char out[WIRE_HEAD_BYTES], struct wire_head head)
{
	uint32_t words[2] = {htole32(head.send_bytes),
			     htole32(head.receive_bytes | (uint32_t)head.more << 31)};

	memcpy(out, words, WIRE_HEAD_BYTES);
}

/* Whatever the bytes are: one that claims to be shorter than its head is as long as that. */
static inline struct wire_head wire_read(const unsigned char in[WIRE_HEAD_BYTES])
{
	uint32_t words[2];

	memcpy(words, in, WIRE_HEAD_BYTES);
	words[0] = le32toh(words[0]);
	words[1] = le32toh(words[1]);
	return (struct wire_head){
		.send_bytes = words[0] < WIRE_HEAD_BYTES ? WIRE_HEAD_BYTES : words[0],
		.receive_bytes = words[1] & WIRE_ANSWER_MOST,
		.more = words[1] >> 31,
	};
}

/* The head of a request that is a datagram. */
struct wire_query {
	uint32_t number;
	uint32_t receive_bytes; /* of the answer */
};

static inline void wire_query_write(unsigned char out[WIRE_HEAD_BYTES], struct wire_query query)
{
	uint32_t words[2] = {htole32(query.number), htole32(query.receive_bytes)};

	memcpy(out, words, WIRE_HEAD_BYTES);
}

/* Of an answer the number alone: what is behind it are zeroes. */
static inline struct wire_query wire_query_read(const unsigned char in[WIRE_HEAD_BYTES])
{
	uint32_t words[2];

	memcpy(words, in, WIRE_HEAD_BYTES);
	return (struct wire_query){le32toh(words[0]), le32toh(words[1])};
}
