/* far_help.h - a far end on the real kernel, and a client made by hand.
 *
 * Ownership: far_stage_close() ends what far_stage_open() began, the client's sockets included.
 * Errors:    what is not to be had fails the test.
 */
#pragma once

#include "drive/far.h"
#include "drive/wire.h"
#include "lab_help.h"

enum { CLIENTS = 20, PATIENCE_MS = 5000 };
#define MILLISECOND INT64_C(1000000)
#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

struct stage_of_far {
	struct help h;
	struct far *far;
	struct pulse pulse;
	struct tape tape;
	int fds[CLIENTS];
	int opened, result;
	bool asks;
};

void far_stage_open(struct stage_of_far *f, const char *lines);
void far_stage_close(struct stage_of_far *f);

int client(struct stage_of_far *f); /* a connection, or -errno */
void clients(struct stage_of_far *f, int n);
void clients_try(struct stage_of_far *f, int n); /* connects that are not waited for */
void clients_close(struct stage_of_far *f);

void ask(int fd, struct wire_head head);
uint64_t take(int fd, uint64_t most); /* bytes that come, up to `most`; fewer if the stream ends */
bool is_quiet(int fd);		      /* nothing more than what was taken, so far */

/* By a dump: the client's range, or the server's services. come_to() waits for so many. */
unsigned far_sockets(struct stage_of_far *f, enum lab_role role, int state);
bool come_to(struct stage_of_far *f, enum lab_role role, int state, unsigned n);

uint64_t counter(struct stage_of_far *f, enum lab_role role, const char *name);
bool has_served(struct stage_of_far *f, uint64_t n); /* within a few seconds */
