/* result.h - all that a run leaves behind, as one value: result.json is its written form, the
 * summary what a person reads of it.
 *
 * Ownership: borrows from plan, lab, tape and judge, or is in the arena of result_load().
 * Errors:    result_load() trusts nothing it reads: ERR_SCENARIO with file, line and column.
 * Source:    results/README.md documents every field of the file.
 */
#pragma once

#include "base/out.h"
#include "host/host.h"
#include "judge/judge.h"

/* Whose namespace a setting is of. */
enum setting_where { WHERE_CLIENT, WHERE_SERVER, WHERE_GATEWAY, WHERES };

struct result_setting {
	struct text name, wanted, before, after;
	unsigned line; /* 0: lastport's own wish */
	enum setting_where where;
};

struct result_value { /* of `effective`: a key, its value as a user writes it, where it came from */
	struct text key, value;
	unsigned line; /* 0: a default */
};

/* What a dump of the socket table said of destinations: as struct sample has it. */
struct result_dump {
	bool present, torn, from_proc;
	int64_t at_ns; /* since the load began; below 0: before it, or not known */
	uint32_t reserved, listening, bound;
	struct usage *usages; /* the fullest first */
	uint32_t count, more_count;
	uint64_t more_used;
	const struct portmap *map; /* of the first of usages; NULL: there is none */
};

/* Loads whose ports are none of the others': plan/part.h. */
struct result_part {
	struct text name;    /* "TCP over IPv4" */
	enum doubt unknown;  /* why it cannot be told whether they run out */
	double sustained;    /* per second; INFINITY: any, NAN: it cannot be told */
	double rate;	     /* that its loads ask for; 0: one is a closed loop */
	int64_t lasts_ns;    /* the ports at that rate; 0: for ever, or not to be told */
	uint64_t tw_buckets; /* that end TIME_WAIT early; 0: they do not */
	int64_t port_life_ns;
};

struct result_run {
	struct text scenario, case_name, title, file;
	struct text sha256;
	enum verdict_word word;
	bool complete;
	struct text error; /* why it did not run or end: VERDICT_SKIP, VERDICT_ERROR; else empty */
	struct text hint;
	struct result_value *effective;
	size_t effective_count;
	struct result_setting *settings;
	size_t setting_count;
	struct {
		struct port_range range;
		uint32_t usable, sources, destinations;
		uint32_t workers;  /* threads of all loads; 0: of an older result */
		struct text whole; /* why fewer than was asked for; else empty */
		uint64_t capacity;
		bool may_lose_one;
		bool window; /* order: fast, and this kernel can */
		struct text order;
		int64_t port_life_ns; /* FOR_EVER: never given back */
		int64_t time_wait_ns; /* that network.time_wait makes of it; 0: the kernel's own */
		double rate;	      /* that the load asks for; 0: a closed loop */
		int64_t lasts_ns;     /* the ports at that rate; 0: for ever, or not to be told */
		struct text doubt;    /* why it cannot be told whether they run out; else empty */
		enum doubt unknown;   /* which reason that is; not where there are parts */
		struct result_part *parts; /* where there are several */
		uint32_t part_count;
		double rate_sure; /* what of predicted.rate is for sure, where that is less; else 0 */
		bool rate_is_least;  /* what predicted.rate says: more may be sustained */
		uint64_t tw_buckets; /* that end TIME_WAIT early; 0: they do not */
		struct {
			struct port_range ports;
			uint32_t addresses;	  /* 0: there is no gateway */
			uint32_t each;		  /* connections to one destination */
			uint64_t at_once;	  /* to all of them, or its limit */
			uint64_t limit;		  /* 0: none */
			uint64_t times_out_after; /* 0: not, or not to be told */
			uint64_t
				times_out_least; /* before so many none does; 0: of an older result */
			enum mapping mapping;
			bool redirect;	/* all destinations are one behind it */
			bool datagrams; /* of UDP: requests do, not connects */
		} gateway;
	} plan;
	struct measures measures;
	struct verdict verdict;
	int interrupted;  /* the signal, or 0 */
	bool cut_short;	  /* stop.time came first */
	bool stopped;	  /* a failure ended a load (on_failure: stop) */
	unsigned aborted; /* the line of verdict.expect that ended it, from 1; 0: none did */
	struct value used_states
		[STATES]; /* sockets by state in the fullest dump, those that are not 0 */
	struct result_dump fullest, end; /* the dump with most ports in use, and the last */
	struct text
		intended; /* "2:" and 16 hex digits, plan/intent.h; empty: nothing was planned */
	uint64_t lost;	  /* records that did not fit the tape */
	struct latency *latency; /* NULL: no connect was timed */
};

struct result {
	struct text version;
	bool complete;
	enum verdict_word word;	 /* the worst of the runs' */
	struct text error, hint; /* why nothing was started; else empty */
	struct text kept;	 /* the directory that it was stored in just now; else empty */
	struct line_list argv;
	uint64_t seed;
	const struct host *host;
	struct result_run *runs;
	size_t run_count;
};

enum { RESULT_SIZE_MOST = 64 << 20, RESULT_VALUES_MOST = 1 << 20 };

/* All that plan and tape tell of a run: effective, plan, measures, verdict, states and flags.
 * Leaves alone who it is (scenario, file, sha256, …), settings, error and hint. */
void result_of(struct result_run *out, const struct plan *plan, const struct tape *tape,
	       struct arena *);

/* What a run says that was not begun when the result was written. */
#define RESULT_NOT_STARTED "it was not started"

/* A result that was written at the start and never again is that of a run that was killed, goes on
 * still, or found no room to write its end. Tells of its runs what their lines in samples.jsonl and
 * events.jsonl say, and that there are none. */
void result_recall(struct result *r, struct text samples, struct text events, struct arena *);

/* The worst word wins: error, incomplete, fail, skip, pass. Without any run: incomplete. */
enum verdict_word result_word(const struct result *r);

/* result.json, and what --json prints. False: out of memory. */
bool result_write_json(struct out *out, const struct result *r);

bool result_load(struct result *out, const char *file, struct text src, struct arena *,
		 struct err *);

struct report_style {
	bool quiet;   /* verdict lines only */
	bool verbose; /* counters and sysctls too */
	bool told;    /* a reader has seen the errors, in full: their words are left out */
};

/* The summary a person reads. */
void result_write_summary(struct out *out, const struct result *r, struct report_style style,
			  struct arena scratch);
