/* scenario.h - a scenario file: what to do, to whom, and what should come of it.
 *
 * Input:     YAML 1.1 as libyaml's event API reads it, restricted: UTF-8, at most 1 MiB, depth
 *            16, 20,000 nodes, 256 cases; no anchors, aliases, tags, directives or second
 *            documents; no unknown or duplicate keys.
 * Output:    a struct scenario a case: the first is the base (its case is "base"), then the
 *            others in the file's order. A case's maps are merged over the base's; its lists
 *            replace them.
 * Ownership: all text is in the arena, or borrowed from `src`, which must live as long.
 * Errors:    syntax stops at the first mistake; meaning goes on to the next key, so that all
 *            are shown at once.
 * Source:    words/keys.def, words/choices.def, words/measures.def.
 */
#pragma once

#include "base/address.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"
#include "base/ports.h"
#include "words/words.h"

struct port_list { /* sorted, merged */
	struct port_range *list;
	size_t count;
};

struct bind {
	enum bind_way way;
	struct port_range ports; /* of the ways that name some; of one port lo == hi */
	struct address address;	 /* of BIND_ADDRESS; any: the source whose turn it is */
};

struct line_list {
	struct text *list;
	size_t count;
};

struct setting {
	struct text name, value; /* "net.ipv4.tcp_tw_reuse", "0" */
	struct mark at, value_at;
};

struct setting_list {
	struct setting *list;
	size_t count;
};

/* Shares of connections by their end; 0 to 1 in all, what is left is load.end's. */
struct mix {
	double share[ENDS];
};

struct ramp_step {
	double to; /* per second */
	int64_t over;
};

struct ramp {
	struct ramp_step *list;
	size_t count;
};

/* An address or a listening port, and where it was written. */
struct address_item {
	struct address address;
	struct mark at;
};

struct service_item {
	uint16_t port;
	struct mark at;
};

/* A number of them, which ones is the plan's choice; or those of the list. */
struct address_wish {
	uint64_t count;
	struct address_item *list; /* NULL: so many */
};

struct service_wish {
	uint64_t count;
	struct service_item *list; /* NULL: so many */
};

enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_IN };

/* "exhausted.after == 32", or {expr: …, abort: true, after: 5s}. Values are in the measure's
 * unit: counts, shares 0 to 1, nanoseconds, per second; flags 0 or 1. */
struct expectation {
	struct text text;
	struct measure_ref what;
	enum compare compare;
	double low, high; /* the same but for COMPARE_IN */
	bool abort;	  /* end the run as soon as it is broken */
	int64_t after_ns; /* abort only from here on, since the load began */
	struct mark at;
};

struct expectation_list {
	struct expectation *list;
	size_t count;
};

#define FIELD_COUNT uint64_t
#define FIELD_SLUG struct text
#define FIELD_LINE struct text
#define FIELD_PROSE struct text
#define FIELD_LINES struct line_list
#define FIELD_RANGE struct port_range
#define FIELD_PORTS struct port_list
#define FIELD_ADDRESSES struct address_wish
#define FIELD_SERVICES struct service_wish
#define FIELD_SYSCTL struct setting_list
#define FIELD_RATE double
#define FIELD_RAMP struct ramp
#define FIELD_MIX struct mix
#define FIELD_TIME int64_t
#define FIELD_SIZE uint64_t
#define FIELD_SHARE double
#define FIELD_FLAG bool
#define FIELD_ADDRESS struct address
#define FIELD_BIND struct bind
#define FIELD_MILLIS int64_t
#define FIELD_SECONDS int64_t
#define FIELD_LINGER int64_t
#define FIELD_DEVICE struct text
#define FIELD_TOPOLOGY enum topology
#define FIELD_FAMILY enum family
#define FIELD_LOAD_FAMILY enum load_family
#define FIELD_SCOPE enum scope
#define FIELD_CHOOSE enum choose
#define FIELD_MAPPING enum mapping
#define FIELD_PROTOCOL enum protocol
#define FIELD_BEHAVIOUR enum behaviour
#define FIELD_END enum end
#define FIELD_ORDER enum order
#define FIELD_ON_FAILURE enum on_failure
#define FIELD_WHEN enum when

/* Each section has its fields, and beside them where each value was written; line 0: a default.
 * Units: FIELD_TIME is nanoseconds, FIELD_RATE per second, FIELD_SIZE bytes, FIELD_SHARE 0 to 1;
 * FIELD_MILLIS, FIELD_SECONDS and FIELD_LINGER are nanoseconds, and whole ones of those. */
enum { LINGER_NONE = -1 };

/* A load: `load` of the file. */
struct load {
#define LOAD(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
	struct {
#define LOAD(field, ...) struct mark field;
#include "words/keys.def"
	} at;
	struct {
#define OPTION(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define OPTION(field, ...) struct mark field;
#include "words/keys.def"
		} at;
		struct {
#define KEEPALIVE(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
			struct {
#define KEEPALIVE(field, ...) struct mark field;
#include "words/keys.def"
			} at;
		} keepalive;
	} options;
	struct {
#define BURST(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define BURST(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} burst;
	struct request {
#define REQUEST(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define REQUEST(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} request;
	struct {
#define POOL(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define POOL(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} pool;
	struct {
#define FAILURE(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define FAILURE(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} on_failure;
};

/* One of `loads`. */
struct named_load {
	struct text name;
	struct mark at;
	struct load load; /* all its keys: those of `load` too */
};

struct load_list {
	struct named_load *list;
	size_t count;
};

struct scenario {
	const char *file;
	struct text source;    /* the whole file */
	struct text case_name; /* "base" */
	struct mark case_at;   /* line 0: the base */
	struct {
#define TOP(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define TOP(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} top;
	struct {
#define NETWORK(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define NETWORK(field, ...) struct mark field;
#include "words/keys.def"
		} at;
		struct nat {
#define NAT(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
			struct {
#define NAT(field, ...) struct mark field;
#include "words/keys.def"
			} at;
		} nat;
	} network;
	struct {
#define SERVER(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define SERVER(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} server;
	struct load load;	/* the only one, or what all of `loads` begin as */
	struct load_list loads; /* none: `load` is the load */
	struct {
#define SQUAT(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define SQUAT(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} squat;
	struct {
#define SAMPLE(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define SAMPLE(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} sample;
	struct {
#define STOP(field, key, kind, ...) FIELD_##kind field;
#include "words/keys.def"
		struct {
#define STOP(field, ...) struct mark field;
#include "words/keys.def"
		} at;
	} stop;
	struct expectation_list expect;
};
#undef FIELD_COUNT /* host/host.h has kinds of these names too */
#undef FIELD_SIZE
#undef FIELD_RANGE

struct scenario_file {
	const char *file;
	struct text source;
	char sha256[65];	/* of the source, in hex */
	struct scenario *cases; /* cases[0] is the base */
	size_t count;
};

enum {
	SCENARIO_SIZE_MOST = 1 << 20,
	SCENARIO_CASES_MOST = 256,
	SCENARIO_PAIRS_MOST = 1 << 19, /* what a run counts of each fits into its arena */
	SCENARIO_LOADS_MOST = 64,
	SCENARIO_RAMP_MOST = 64, /* steps */
	SCENARIO_SOURCES_MOST = 1024,
	SCENARIO_RESERVED_MOST = 340 /* ranges: the kernel takes a page of text, 4,095 bytes */
};

/* `file` names the source in errors; it is not opened here. */
bool scenario_read(struct scenario_file *out, const char *file, struct text src, struct arena *,
		   struct errs *);

/* The effective scenario of a case as a scenario file; with `origins`, a comment says where
 * each value came from. What is written reads back to the same struct. */
void scenario_write(struct out *out, const struct scenario *s, bool origins);

/* All keys of load i, those that it has of `load` too, a line each: "load.options.linger: none". */
void scenario_load_write(struct out *out, const struct scenario *s, size_t i);

/* The share of the load's connections that end so, 0 to 1; is there any? */
double load_share(const struct load *l, enum end end);
bool load_ends(const struct load *l, enum end end);

/* Are connections kept for more than one request? */
static inline bool load_is_pooled(const struct load *l)
{
	return (l->pool.max_idle > 0 && l->request.per_connection != 1) ||
	       l->request.per_connection > 1;
}

/* Is one of the gateway's ports in use for all destinations at once? */
static inline bool nat_maps_for_all(const struct nat *nat)
{
	return nat->mapping == MAPPING_INDEPENDENT;
}

/* The interface of load.scope; NULL: none. */
static inline const char *load_link(const struct load *l)
{
	return l->scope == SCOPE_NONE ? NULL : scope_words[l->scope].word;
}

/* The interface that an address of the lab's own is to be had on; NULL: it needs none. */
static inline const char *address_link(const struct scenario *s, struct address a)
{
	bool is_inside = s->network.topology == TOPOLOGY_LOOPBACK;

	return address_is_link_local(a) ? scope_words[is_inside ? SCOPE_LO : SCOPE_LINK].word
					: NULL;
}

/* Of the load's addresses and sockets. */
enum family load_family(const struct scenario *s, const struct load *l);

/* The loads that run: `loads`, or the only one, which has no name. */
size_t scenario_loads(const struct scenario *s);
const struct load *scenario_load(const struct scenario *s, size_t i);
struct text scenario_load_name(const struct scenario *s, size_t i);

/* The line of a source, without its end; for err_at(). */
struct text scenario_line(struct text source, unsigned line);

/* The file is to blame, at that place; nobody's line (0) is not. False, as an err's last word. */
bool scenario_blame(const struct scenario *s, struct mark at, struct err *err);

/* Is `observed` what the expectation asks for? */
bool expectation_holds(const struct expectation *e, double observed);

/* A walk over all keys, for show, results and completion: "load.hold" and its value as a user
 * would write it. */
struct key_view {
	const char *section, *section_name; /* "load.on_failure", "on_failure"; "" at the top */
	unsigned depth;			    /* how many sections are around the key */
	const char *key, *fallback, *lowest, *highest, *meaning;
	const struct choice *words; /* NULL: the key takes other than one word of a few */
	struct mark at;		    /* line 0: a default */
};
size_t scenario_keys(void);
void scenario_key(const struct scenario *s, size_t i, struct key_view *view, struct out *value);
/* The same of load i of `loads`; false: the key is not a load's. */
bool scenario_load_key(const struct scenario *s, size_t load, size_t i, struct key_view *view,
		       struct out *value);
void scenario_key_about(size_t i,
			struct key_view *view); /* without a scenario: no value, no mark */
