/* web.h - a server that answers whatever it is sent with the same HTTP response, for peers that
 * speak HTTP and for our load alike.
 *
 * One thread, epoll. It takes the first bytes that come for the request: those of ab, wrk, hey
 * and httperf, and of our own load, come in one piece.
 *
 * Ownership: web_stop() ends the thread and closes all.
 * Errors:    ERR_SYS.
 * Threads:   web_start() returns when it listens.
 */
#pragma once

#include "lab/lab.h"

/* NO_WEB: there is none. WEB_CLOSE: it closes after its answer, as HTTP/1.0 has it. WEB_KEEP: it
 * never does. */
enum web_manner { NO_WEB, WEB_CLOSE, WEB_KEEP };

enum { WEB_ANSWER_BYTES = 96 };

struct web;

bool web_start(struct web **out, const struct lab *lab, uint16_t port, enum web_manner manner,
	       struct arena *arena, struct err *err);
void web_stop(struct web *web);
