/* judge.h - from a tape to measures, from measures to a verdict and its cause. Pure.
 *
 * Units:     struct value holds a measure in its kind's unit (words/measures.def): counts, 0 to
 *            1, nanoseconds, per second.
 * Ownership: texts are in the arena.
 * Errors:    none: a measure without data is absent, and an expectation of it fails with "no
 *            data".
 */
#pragma once

#include "plan/plan.h"
#include "scenario/scenario.h"
#include "tape/tape.h"

struct value {
	bool present;
	double n;
};

struct error_row {
	enum stage stage;
	int error;
	uint64_t count;
};

struct counter_row {
	struct text name;
	uint64_t moved;
};

/* What a run has made of a prediction: nothing was said, it was kept, or not, or the run never came
 * to it. */
enum outcome { OUTCOME_UNTOLD, OUTCOME_HOLDS, OUTCOME_BROKEN, OUTCOME_UNTRIED };
const char *outcome_name(enum outcome outcome);
int outcome_find(struct text name); /* or -1 */

struct compared {
	enum outcome outcome;
	struct guess predicted; /* and its tolerance; in the unit of its kind */
	struct value observed;
};

enum { BOOK_ROWS = 4 };

/* A destination that is out, with or without an explanation. */
struct book_row {
	struct address to;
	uint16_t port;	/* 0: none that the load was to go to */
	bool datagrams; /* of UDP */
	uint64_t driver, found;
};

/* A line of words/books.def: what the driver has, what was found, and how much of a difference
 * the kernel's own doing explains. */
struct book {
	bool known;
	uint64_t driver, found;
	uint64_t apart; /* destination by destination, so that none makes up for another */
	uint64_t explained;
	uint64_t excepted[EXCEPTIONS]; /* at most so many are so */
	uint64_t foreign; /* of what is not explained: ended by neither end (SOCK_DESTROY) */
	/* The destinations that are out by most; and of all others, how many, and by how much. */
	struct book_row rows[BOOK_ROWS];
	uint32_t row_count, more_count;
	uint64_t more_apart;
};

enum { WHOSE_ROWS = 8 };

/* From so many to so many; the same where it is known. */
struct between {
	uint64_t least, most;
};

struct whose_share {
	struct between live, closing;
};

/* What the kernel has at the end towards a destination of several loads, and how much of it is each
 * load's: judge/whose.h. */
struct whose_row {
	struct address to;
	uint16_t port;
	bool datagrams;		    /* of UDP */
	uint64_t live;		    /* ESTABLISHED, CLOSE_WAIT */
	uint64_t closing;	    /* FIN_WAIT1 to TIME_WAIT, */
	uint64_t time_wait;	    /* and of those, in TIME_WAIT */
	struct whose_share *shares; /* a load each, in the scenario's order */
};

struct load_measures;

struct measures {
	struct value fixed[MEASURES]; /* families excepted */
	struct compared predictions[PREDICTIONS];
	bool foretold;		  /* predictions are there; not of one of several loads */
	struct error_row *errors; /* those that occurred, most frequent first */
	size_t error_count;
	struct error_row *squat_errors; /* the same of squat's sockets, which are no load's */
	size_t squat_error_count;
	struct error_row *server_errors; /* … of what the far end opens to itself */
	size_t server_error_count;
	struct counter_row *counters; /* those that moved, in the kernel's order */
	size_t counter_count;
	bool counters_known;
	struct book books[BOOKS];    /* of the whole run */
	struct load_measures *loads; /* of `loads`, in the scenario's order */
	size_t load_count;
	struct whose_row *whose; /* where several loads share a destination */
	size_t whose_count;
	uint32_t whose_more; /* destinations that are not among them */
};

/* What the driver's books tell of one of several loads. */
struct load_measures {
	struct text name;
	struct measures measures;
};

void measure(struct measures *out, const struct tape *tape, const struct plan *plan,
	     struct arena *);

/* A measure by reference: an error that did not occur, and a known counter that did not move,
 * are 0. */
struct value measures_get(const struct measures *m, const struct measure_ref *what);

enum verdict_word { VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_ERROR, VERDICT_INCOMPLETE };
const char *verdict_name(enum verdict_word word);
int verdict_find(struct text name); /* or -1 */

struct judged { /* one line of `expect` */
	struct text text;
	struct mark at;
	enum measure_kind kind;
	struct value observed;
	bool pass;
};

struct finding { /* a cause that holds, the likeliest first */
	enum cause cause;
	struct text why;	  /* with the arithmetic filled in */
	struct line_list seen;	  /* the measures it goes by: "time_wait.max 32"; `seen` in JSON */
	struct line_list attempt; /* what to change, in order of effect: `try` in JSON */
	struct line_list wont_help;
};

struct verdict {
	enum verdict_word word;
	struct judged *expect;
	size_t expect_count;
	struct finding *causes;
	size_t cause_count;
};

/* What broke off, was cut short or lost records is incomplete, and never a pass; nor is a load that
 * fell far behind its rate, or its own arithmetic (judge/late.h), unless it ran out of ports or a line
 * is about its pace. */
void judge(struct verdict *out, const struct plan *plan, const struct tape *tape,
	   const struct measures *m, struct arena *);
