#include "drive/flow.h"

#include <errno.h>

static const struct {
	enum op ok, fail;
	enum stage stage;
} life[] = {
#define OP(name, ok, fail, stage, meaning) [OP_##name] = {OP_##ok, OP_##fail, STAGE_##stage},
#include "words/ops.def"
};

void flow_begin(struct flow *f, uint32_t pair)
{
	*f = (struct flow){
		.prev = NO_FLOW, .next = NO_FLOW, .pair = pair, .slot = f->slot, .at = OP_SOCKET};
}

/* What the kernel says of a connection that it has given up (tcp_write_err(), net/ipv4/tcp_timer.c), or
 * that somebody else has destroyed (tcp_abort(), net/ipv4/tcp.c). */
bool error_is_loss(int error)
{
	return error == ETIMEDOUT || error == ECONNABORTED || error == EHOSTUNREACH ||
	       error == ENETUNREACH;
}

bool flow_was_reset(const struct flow *f)
{
	return (f->error == ECONNRESET || f->error == EPIPE) &&
	       (f->stage == STAGE_SEND || f->stage == STAGE_RECEIVE);
}

static void keep_error(struct flow *f, int result)
{
	f->lost |= f->opened && error_is_loss(-result);
	if (result >= 0 || f->error)
		return;
	f->error = (uint16_t)(result == -ECANCELED && f->cancelled ? ETIMEDOUT : -result);
	f->stage = (uint8_t)life[f->at].stage;
}

enum op flow_answer(struct flow *f, int result, uint32_t steps)
{
	enum op at = f->at;

	keep_error(f, result);
	if (at == OP_CONNECT && result >= 0)
		f->opened = true;
	f->cancelled = false;
	at = result < 0 ? life[at].fail : life[at].ok;
	while (!op_is_end(at) && !has_step(steps, at))
		at = life[at].ok;
	f->at = (uint8_t)at;
	return at;
}

bool op_is_end(enum op op)
{
	return life[op].ok == op;
}

/* The table's order is the order of life. */
bool op_is_opening(enum op op)
{
	return op <= OP_CONNECT;
}

bool op_is_request(enum op op)
{
	return op <= OP_RECEIVE;
}
