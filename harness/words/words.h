/* words.h - lastport's vocabulary: enums made of the .def lists, and the way from a word to its
 * enum and back.
 *
 * Ownership: all names are string literals.
 * Errors:    a word that is not in a list is -1 or false.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define LINK_NAME \
	"veth0" /* the lab's link to the servers, in the client's namespace and in theirs */

enum { STDIO = 3 }; /* of load.nofile: stdin, stdout and stderr */

enum topology {
#define TOPOLOGY(name, ...) TOPOLOGY_##name,
#include "words/choices.def"
};
enum family {
#define FAMILY(name, ...) FAMILY_##name,
#include "words/choices.def"
};
enum load_family {
#define LOAD_FAMILY(name, ...) LOAD_FAMILY_##name,
#include "words/choices.def"
};
enum scope {
#define SCOPE(name, ...) SCOPE_##name,
#include "words/choices.def"
};
enum choose {
#define CHOOSE(name, ...) CHOOSE_##name,
#include "words/choices.def"
};
enum mapping {
#define MAPPING(name, ...) MAPPING_##name,
#include "words/choices.def"
};
enum protocol {
#define PROTOCOL(name, ...) PROTOCOL_##name,
#include "words/choices.def"
	PROTOCOLS
};
enum behaviour {
#define BEHAVIOUR(name, ...) BEHAVIOUR_##name,
#include "words/choices.def"
};
/* What a far end does, by its behaviour. */
enum does {
	DOES_LISTEN = 1, /* connects succeed */
	DOES_ACCEPT = 2,
	DOES_SERVE = 4, /* reads, and answers requests */
	DOES_END = 8,	/* closes or resets before the client does */
	DOES_KEEP = 16, /* never closes, whatever the client does */
};
enum end {
#define END(name, ...) END_##name,
#include "words/choices.def"
	ENDS
};
enum bind_way {
#define BIND(name, ...) BIND_##name,
#include "words/choices.def"
	BINDS
};
enum order {
#define ORDER(name, ...) ORDER_##name,
#include "words/choices.def"
};
enum on_failure {
#define ON_FAILURE(name, ...) ON_FAILURE_##name,
#include "words/choices.def"
};
enum when {
#define WHEN(name, ...) WHEN_##name,
#include "words/choices.def"
};
enum stage {
#define STAGE(name, ...) STAGE_##name,
#include "words/stages.def"
	STAGES
};
enum op {
#define OP(name, ...) OP_##name,
#include "words/ops.def"
	OPS
};
enum cause {
#define CAUSE(name, ...) CAUSE_##name,
#include "words/causes.def"
	CAUSES
};
enum event_kind {
#define EVENT(name, ...) EVENT_##name,
#include "words/events.def"
	EVENTS
};

/* Why a plan cannot tell; 0: it can. */
enum doubt {
	DOUBT_NONE,
#define DOUBT(name, ...) DOUBT_##name,
#include "words/doubts.def"
	DOUBTS
};

const char *doubt_name(enum doubt why);	 /* "backlog" */
const char *doubt_words(enum doubt why); /* what decides, in words; "" of DOUBT_NONE */
int doubt_find(struct text name);	 /* or -1 */

/* What has to balance: words/books.def. */
enum book_kind {
#define BOOK(name, ...) BOOK_##name,
#include "words/books.def"
	BOOKS
};

enum exception {
#define EXCEPTION(name, ...) EXCEPTION_##name,
#include "words/books.def"
	EXCEPTIONS
};

const char *exception_name(enum exception e);
const char *exception_words(enum exception e); /* "in flight when the load ended" */
int exception_find(struct text name);	       /* or -1 */

const char *book_name(enum book_kind kind);
const char *book_left(enum book_kind kind);  /* "open to the driver" */
const char *book_right(enum book_kind kind); /* "open to the kernel (…)" */
int book_find(struct text name);	     /* or -1 */

/* Measures and families share one enum: a reference to a family's row names the row as well. */
enum measure {
#define MEASURE(name, ...) MEASURE_##name,
#define FAMILY(name, ...) MEASURE_##name,
#include "words/measures.def"
	MEASURES
};
enum measure_kind { KIND_COUNT, KIND_SHARE, KIND_TIME, KIND_RATE, KIND_RATIO, KIND_FLAG };
enum better { BETTER_LESS, BETTER_MORE, BETTER_NEITHER };

/* What a measure is about. */
enum measure_topic {
	TOPIC_ENDS,    /* what became of connections */
	TOPIC_REFUSAL, /* those that could not be had */
	TOPIC_SOCKETS, /* that hold ports */
	TOPIC_PACE,
	TOPIC_LATENCY,
	TOPIC_REQUESTS,
	TOPIC_BOOKS,
	TOPIC_FORETOLD,
	TOPIC_ARITHMETIC,
	TOPIC_GATEWAY,
	TOPIC_SERVER,
	TOPIC_SQUAT,
	TOPICS
};

struct measure_info {
	const char *name;
	enum measure_kind kind;
	enum better better;
	enum measure_topic topic;
	bool family;
	bool live; /* known while the load runs */
	const char *meaning;
};

struct measure_ref {
	enum measure measure;
	enum stage stage;    /* MEASURE_ERRORS, and those of squat and of the server */
	int error;	     /* of those: an errno value */
	struct text counter; /* MEASURE_COUNTER: its NAME, borrowed */
	unsigned load;	     /* LOAD/MEASURE: of the scenario's, from 1; 0: of the whole run */
};

extern const struct measure_info measure_infos[MEASURES];

enum prediction {
#define PREDICTION(name, ...) PREDICTION_##name,
#include "words/predictions.def"
	PREDICTIONS
};

struct prediction_info {
	const char *name;
	enum measure_kind kind;
	enum measure measure; /* that it is held against */
	bool ever;	      /* no run has that beyond it, whether it is over or not */
	const char *meaning, *tolerance;
};

extern const struct prediction_info prediction_infos[PREDICTIONS];
int prediction_find(struct text name); /* or -1 */

/* A word of a choice; `words` is one of the lists below. */
struct choice {
	const char *word, *meaning;
};
extern const struct choice topology_words[], family_words[], load_family_words[], scope_words[],
	choose_words[], mapping_words[], protocol_words[], behaviour_words[], bind_words[],
	end_words[], order_words[], on_failure_words[], when_words[]; /* each ends in {NULL} */

bool behaviour_does(enum behaviour behaviour, enum does what);

int choice_find(const struct choice *words, struct text word); /* the enum's value, or -1 */

/* The word nearest to a misspelt one, for "did you mean"; NULL if none is near. */
const char *choice_near(const struct choice *words, struct text word);
const char *choice_list(const struct choice *words, struct arena *a); /* "veth, loopback" */

/* Is it told of one load too, by the driver's books, or of the whole run alone? */
bool measure_is_of_load(enum measure measure);

bool measure_find(struct text name, struct measure_ref *out);

/* The known name nearest to a misspelt one, for "did you mean"; empty if none is near. A row of a family
 * is made in the arena. */
struct text measure_near(struct text name, struct arena *a);

const char *stage_name(enum stage stage); /* "connect" */
const char *stage_call(enum stage stage); /* "connect()" */
const char *cause_name(enum cause cause);
const char *cause_lesson(enum cause cause);

/* What a cause does: words/causes.def. */
enum cause_sort { SORT_HOLDS, SORT_TAKES, SORT_GATEWAY, SORT_ALIKE, SORT_GATE, SORT_NOTE };
enum cause_sort cause_sort(enum cause cause);
const char *cause_refs(enum cause cause); /* "redis/hiredis#58, predis/predis#597"; or "" */

/* A name for what a tape shows as another cause, or not at all. */
struct cause_alias {
	const char *name;
	int seen_as; /* enum cause, or -1: not at all */
	const char *tell;
};
extern const struct cause_alias cause_aliases[]; /* the last has no name */
const char *event_name(enum event_kind kind);
int event_find(struct text name); /* enum event_kind, or -1 */
int stage_find(struct text name); /* enum stage, or -1 */

const char *errno_name(int error); /* "EADDRNOTAVAIL"; "E?" for a number that is none */
int errno_find(struct text name);  /* 0 if there is none of this name */
/* The same, of one that a stage of ours has: that recv() gives 0 is counted as ENODATA. */
const char *failure_words(enum stage stage, int error);
const char *errno_words(
	int error); /* "Cannot assign requested address", in English whatever the locale */

enum { ERRNOS = 134 }; /* errno values are below this on Linux (include/uapi/asm-generic/errno.h) */
