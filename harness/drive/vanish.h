/* vanish.h - server.vanish: at its time the server's host is gone, silently.
 *
 * Errors:  ERR_SYS. What breaks at that time ends the load by pulse->broken, and is handed out by
 *          vanish_stop().
 * Threads: one of its own, in the server's namespace, with CAP_NET_ADMIN there and nothing else.
 */
#pragma once

#include "drive/far.h"

struct vanish;

/* *out is NULL where nobody will vanish; then the others do nothing. */
bool vanish_start(struct vanish **out, const struct far_wish *wish, struct arena *, struct err *);
void vanish_zero(struct vanish *v, int64_t now_ns); /* the load begins now: the time counts */
bool vanish_stop(struct vanish *v, struct tape *out, struct err *); /* as far_stop() */
