/* peer.h - programs of others that open connections, each run in a network of its own as near to
 * our load as it allows.
 *
 * Connections are counted by the kernel, ActiveOpens of that network; CPU is that of the program
 * and all its children (wait4). Its start is in both: it is some 10 ms of seconds.
 *
 * Errors: one that is not installed is `missing`. Others exit, as run.h.
 */
#pragma once

#include "base/text.h"
#include "cost.h"
#include "web.h"

enum { PEER_WORDS = 16, PEER_SAID = 16 * 1024 };

/* Words of a command that stand for what is known when it runs. */
#define PEER_HOST "@host"
#define PEER_PORT "@port"
#define PEER_COUNT "@count"
#define PEER_URL "@url"

struct peer {
	const char *name;
	const char *program; /* looked for in PATH, or a path; the first word of what is run */
	const char *churn[PEER_WORDS]; /* its other words: a connection a request */
	const char *hold[PEER_WORDS];  /* more connections at once than there are ports */
	const char *tells[4]; /* a line with one of these tells that ports ran out; NULL: the end */
};

enum { PEER_WRK, PEER_AB, PEER_HEY, PEER_HTTPERF, PEER_SOCKMANY, PEER_PYTHON, PEERS };

extern const struct peer peers[PEERS];

bool peer_is_there(const struct peer *peer);

struct peer_wish {
	const struct peer *peer;
	const char *lines; /* the network, below a scenario's version and name */
	const char *const *words;
	uint32_t count; /* connections that it is to open */
	enum web_manner web;
	char *said; /* what it prints, PEER_SAID bytes; NULL: it does not matter */
};

struct peer_took {
	struct cost cost;
	int status;	  /* what it exited with; 128 + signal */
	uint64_t opens;	  /* by the kernel */
	struct text said; /* in peer_wish.said */
};

struct peer_took peer_run(const struct peer_wish *wish);
