/* tape.h - what happened, as small fixed records: the narrow waist between those who run and
 * those who judge.
 *
 * Whoever loads or samples writes a tape of its own; tape_merge() puts them in order of time.
 * What reads one knows nothing of rings, namespaces or rights.
 *
 * Units:     t_ns is monotonic nanoseconds since the load began (negative: before it).
 * Ownership: arrays are in the arena that tape_open() got, sized once: nothing is allocated
 *            while running.
 * Errors:    a full array drops the record and counts it in `lost`, which is a finding of its
 *            own.
 * Threads:   one writer a tape.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/portset.h"
#include "tape/latency.h"
#include "words/words.h"

enum { NOWHERE = UINT32_MAX }; /* an event about no destination */

struct event {
	int64_t t_ns;
	int64_t value; /* words/events.def says of what */
	uint32_t dest; /* index of the destination in the plan, or NOWHERE */
	enum event_kind kind;
	enum stage stage; /* FAILED, REFUSED */
	int error;	  /* FAILED, REFUSED: an errno value; else 0 */
};

/* TCP states as the kernel numbers them (include/net/tcp_states.h), and sockets that are bound
 * but not connected. */
enum {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_FIN_WAIT1 = 4,
	STATE_FIN_WAIT2 = 5,
	STATE_TIME_WAIT = 6,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
	STATE_CLOSING = 11,
	STATE_BOUND = 12,
	STATES
};

const char *state_name(int state); /* "TIME_WAIT" */
int state_find(struct text name);  /* one of the above; 0 if there is none of this name */

/* The driver's books. attempted = opened + failed + in flight; opened = open + closed + reset +
 * leaked + inherited + lost. */
struct tally {
	uint64_t attempted, opened, failed, in_flight, open, closed, reset, leaked, inherited;
	uint64_t lost; /* neither end has ended them: a timeout, or somebody else (SOCK_DESTROY) */
	uint64_t held_back, late;
	/* attempted = begun + retries; begun = opened + gave_up + in flight */
	uint64_t retries, gave_up;
	uint64_t stopped;	/* failures that ended their load (on_failure: stop) */
	uint64_t self_connects; /* of opened: their own peers */
	uint64_t requests_done, requests_failed,
		requests_reused;	 /* on a connection that had served */
	uint64_t errors[STAGES][ERRNOS]; /* failures, by stage and errno */
};

enum sample_part { SAMPLE_TOTALS = 1, SAMPLE_SOCKETS = 2, SAMPLE_GATEWAY = 4 };

/* What a gateway counts; all but `entries` since it was made. */
struct tracked {
	uint64_t entries, insert_failed, drop, early_drop;
	uint64_t unmapped; /* packets that its own rule dropped, for want of a mapping */
};

enum { USAGES_MOST = 8 /* of one dump: the fullest */, HOLDERS_MOST = 4, HOLDER_COMMAND = 64 };

struct holder {
	int32_t pid;		       /* 0: the load of the run itself */
	char command[HOLDER_COMMAND];  /* escaped: a process says what it likes */
	uint32_t sockets;	       /* 0: there is none */
	int32_t fd_lowest, fd_highest; /* its descriptors of them; -1: it has none any more */
};

/* How the ports of one source address are in use towards one destination. Sockets of UDP, and
 * ports that bind() took, are in use towards all destinations: remote_port is 0. IPv4 and IPv6
 * are apart, as their connections are; a mapped socket is one of IPv4. */
struct usage {
	struct address local, remote;
	uint16_t remote_port;
	bool datagrams; /* of UDP */
	bool guessed; /* which are elsewhere the kernel does not tell: by the ports that they have */
	uint32_t usable; /* ports that connects could have, of either family, if none were in use */
	/* Those that bind() has taken for other connections than these: no connect passes by them,
	 * and they are none of the usable. */
	uint32_t elsewhere;
	uint32_t states[STATES]; /* sockets that hold one, by state */
	uint32_t outside; /* of those, with a port of none of the range: a load names it itself */
	uint32_t lower;	  /* of the others, of the range's low end's parity: connect()'s first */
	int64_t next_free_ns,
		all_free_ns; /* until connect() may have the first in TIME_WAIT, and the last; -1:
				none is */
	bool holders_known; /* it was looked who has them: whom no holder is named of, nobody knows */
	struct holder holders[HOLDERS_MOST]; /* the first that were found; */
	uint32_t held_by_others;	     /* all other processes together */
};

/* The ports of the range, towards the fullest destination of a dump. */
struct portmap {
	bool known;
	uint64_t used_max; /* of its dump */
	struct port_range range;
	struct portset used, taken; /* taken: no connect can have them */
};

uint32_t usage_sockets(
	const struct usage *u); /* that hold a port: every connection has one of its own */
uint32_t usage_used(const struct usage *u); /* ports of the range */
uint32_t usage_free(const struct usage *u);

/* Of so many ports that there are without bind()'s. */
double usage_fill(const struct usage *u, uint32_t usable);

/* Of a dump's sockets, those of UDP: the kernel keeps their ports apart from TCP's. */
struct datagrams {
	uint64_t states[STATES];
	uint64_t used_max;   /* as sample.used_max, of UDP alone, */
	uint64_t others_max; /* and of all others */
};

struct sample {
	int64_t t_ns;
	unsigned parts; /* of enum sample_part: what was looked at */
	bool from_proc; /* sockets were counted from /proc, which has none that are bound alone */
	bool torn;	/* the dump was interrupted: its figures are a lower bound */
	bool edge;	/* taken at a phase edge or at the first failure */
	bool at_rest;	/* no socket was between two states */
	uint64_t attempted, opened, failed, open; /* the driver's books at that moment */
	uint64_t inuse,
		tw; /* SAMPLE_TOTALS: sockstat, of the client's namespace; tw counts FIN_WAIT2 orphans too */
	uint64_t states
		[STATES]; /* SAMPLE_SOCKETS: sockets with a local port in the range, by state */
	uint64_t
		used_max; /* SAMPLE_SOCKETS: ports in use from one address to one destination, the most */
	struct datagrams datagrams; /* SAMPLE_SOCKETS: what of states and used_max is of UDP */
	uint64_t overshadowed; /* SAMPLE_SOCKETS: of UDP, with the addresses and ports of another */
	uint64_t dump_ns;      /* SAMPLE_SOCKETS: processor time that the dump took */
	/* SAMPLE_SOCKETS: ports of the range that no connect can have: reserved; of the others,
	 * those that somebody of TCP listens on; of the rest, those that are bound alone. */
	uint32_t reserved, listening, bound;
	/* SAMPLE_SOCKETS: the fullest destinations, the first of them the fullest, in
	 * tape->usages; how many more there are, and the ports in use towards those together. */
	uint32_t usage_first, usage_count, more_count;
	uint64_t more_used;
	struct tracked gateway; /* SAMPLE_GATEWAY */
};

/* A Tcp or TcpExt counter of the client's namespace, before the load and after it. */
struct counter {
	char name[40];
	uint64_t first, last;
};

/* What the driver has of one destination by its books, and what the kernel had of it when all was at
 * rest. */
struct account {
	uint64_t opened, closed;
	uint64_t ended; /* reset or lost: nothing is left of them */
	uint64_t
		far_first; /* of those closed, by the far end first: they leave no TIME_WAIT here */
	uint64_t live,
		closing; /* the kernel's: ESTABLISHED, CLOSE_WAIT; TIME_WAIT, and on the way there */
	uint64_t time_wait; /* of those that are closing */
};

struct tape {
	struct event *events;
	size_t event_count, event_room;
	struct sample *samples;
	size_t sample_count, sample_room;
	struct usage *usages; /* of all samples: see usage_first */
	size_t usage_count, usage_room;
	struct portmap *fullest_map, *last_map; /* see tape_map(); NULL: no room was asked for */
	/* A destination of the plan each, and behind them one of all others; NULL: they were not kept. */
	struct account *accounts;
	uint32_t account_count;
	bool accounts_found; /* the kernel's part is known */
	struct counter *counters;
	size_t counter_count, counter_room;
	uint64_t lost;
	struct tally tally;
	uint64_t opened_before;	    /* connections that had their port before the first want of */
				    /* one; valid if refused_at_ns */
	uint64_t opened_before_any; /* the same, of any load of the run: not only of this one */
	int64_t behind_ns;     /* the most that a connection of a rate was begun after it was due */
	uint64_t open_peak;    /* most connections open at once, by the driver's books */
	uint64_t used_peak;    /* most ports in use to one destination that no dump here has seen */
	int64_t refused_at_ns; /* the first refusal; -1: none */
	int64_t begin_ns, end_ns; /* the load's */
	bool exhausted;		  /* a refusal was confirmed to be for want of a port */
	int64_t recovered_ns; /* from the first exhaustion to the first success after it; -1: none */
	bool complete;	      /* the load came to its own end */
	int interrupted;      /* the signal that ended it; 0: none */
	bool cut_short;	      /* stop.time came first */
	struct latency *latency; /* of connects that were timed, borrowed; NULL: none were */
	uint64_t destroyed;	 /* sockets in TIME_WAIT, by network.time_wait */
	uint64_t squat_held, squat_refused;    /* sockets of squat: see squat.start */
	uint64_t squat_errors[STAGES][ERRNOS]; /* what those were refused with */
	uint64_t far_opened;		       /* connections that the far end opened to itself */
	uint64_t far_errors[STAGES][ERRNOS];   /* those that it could not have */
	int aborted;			       /* the line of `expect` that ended it; -1: none */
	struct text load;   /* whose tape it is; empty: the only one's, or the run's */
	struct tape *loads; /* of a run with named loads: the tape of each, borrowed */
	size_t load_count;
	/* Where records go while running, a JSON line each; -1: nowhere. See tape_live(). */
	int samples_fd, events_fd;
	unsigned run;
	int write_error; /* errno of the first line that could not be written; 0: none */
};

bool tape_open(struct tape *out, size_t events, size_t samples, size_t counters, struct arena *,
	       struct err *);

/* Room for what dumps tell of destinations; without it, samples count them as `more`. */
bool tape_open_usages(struct tape *tape, size_t usages, struct arena *, struct err *);

bool tape_open_accounts(struct tape *tape, uint32_t destinations, struct arena *, struct err *);
void tape_merge_accounts(struct tape *into, const struct tape *more);

/* From here on each record is written too, as a line that names the run: a single write(2)
 * each, to files opened with O_APPEND, so that a crash tears at most the last one. The
 * descriptors stay the caller's. */
void tape_live(struct tape *tape, int samples_fd, int events_fd, unsigned run);

void tape_event(struct tape *tape, struct event event);
void tape_sample(struct tape *tape, struct sample sample);

/* The same of a dump, with its destinations: usage_count of them. */
void tape_dump(struct tape *tape, struct sample sample, const struct usage *usages);

/* Of the dump that was put on it last: the map is kept until a fuller one comes, and until the
 * next. */
void tape_map(struct tape *tape, const struct portmap *map);
const struct usage *sample_usages(const struct tape *tape, const struct sample *sample);

/* Adds what `more` has, in order of time: its tally, the moves of its counters, and what of its
 * findings came first. Needs room for both; what finds none is lost. A tape without a load (a
 * sampler's) has no say in `complete`. */
void tape_merge(struct tape *into, const struct tape *more);

/* The same of another worker of one load: before a want of ports all of them opened what each did
 * before its own. */
void tape_join(struct tape *into, const struct tape *more);

/* The tally and the findings alone. */
void tape_copy_books(struct tape *into, const struct tape *from);

bool tally_balances(const struct tally *t);

/* The first of the samples that saw the most ports in use from one address to one destination;
 * NULL: no dump. */
const struct sample *tape_fullest(const struct tape *tape);

/* Who holds the ports: of a run that was refused one, the first of the fullest dumps from then on,
 * where there is one; of another, or where there is none, the one that saw most sockets. */
const struct sample *tape_peak(const struct tape *tape);
const struct sample *tape_last_dump(const struct tape *tape); /* or NULL */

/* Reads lines back, those of one run, and with them what events tell of the findings. One torn
 * last line of each is accepted; anything else that is no record is an error with its line. The
 * text comes from outside: nothing in it is trusted. The books and the counters are not in it:
 * they are in result.json. */
bool tape_load(struct tape *out, struct text samples, struct text events, unsigned run,
	       struct arena *, struct err *);
