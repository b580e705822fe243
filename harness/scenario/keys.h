/* keys.h - words/keys.def as a table: how each key is read, checked, compared and written.
 *
 * Errors: a reader adds one err to errs and leaves the field as it was.
 */
#pragma once

#include "base/unit_table.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

struct key;

/* What a reader needs besides the node. */
struct reading {
	struct text source;
	struct arena *arena;
	struct errs *errs;
	const char *load_path;	       /* "loads.victim": what `load` is called here; or NULL */
	const struct load_list *loads; /* whom a line of expect can name */
};

struct kind {
	enum shape shape;
	bool list_too;	  /* a list of what the scalar counts will do as well */
	const char *form; /* "a time such as 250ms or 2s": for hints */
	bool (*read)(const struct reading *r, const struct key *key, const struct node *n,
		     void *field);
	void (*write)(struct out *out,
		      const void *field);	    /* on one line, as a user would write it */
	bool (*number)(struct text t, double *out); /* kinds that are one number */
	const struct unit *units;		    /* … and what that is written in */
	const struct choice *words;		    /* kinds that are one word of a few */
};

struct key {
	const char *section; /* "" at the top of the file */
	const char *name;
	const struct kind *kind;
	size_t field, at; /* offsets in struct scenario: of the value, and of its mark */
	const char *fallback, *lowest, *highest, *meaning;
};

extern const struct key keys[];
extern const size_t keys_count;

/* A map of keys. "load.on_failure" is one within "load". */
struct section {
	const char *path;
	const char *word; /* the key that a bare word in place of the map is for; NULL: none */
};

extern const struct section sections[]; /* ends in {NULL}; without the "" of the top */

/* The section `name` within `path` ("": at the top); NULL if there is none. */
const struct section *section_find(const char *path, struct text name);

/* Its name without those around it: "on_failure". */
const char *section_name(const char *path);
unsigned section_depth(const char *path); /* 0 at the top of the file */

const struct key *key_find(const char *section, struct text name); /* NULL if there is none */

/* "load.hold", "loads.victim.hold"; "name" at the top. Borrowed, or in the arena. */
const char *key_path(const struct reading *r, const struct key *key);

/* What a section is called where it is read: "loads.victim.on_failure". */
const char *section_path(const struct reading *r, const char *section);

/* The value or mark of a load's key; `offset` is that in struct scenario. */
const void *load_at(const struct load *load, size_t offset);

/* Is it a key of a load? */
bool key_is_of_load(const struct key *key);

/* Reads a value into its field, and notes its place. */
bool key_read(const struct reading *r, const struct key *key, const struct node *n,
	      struct scenario *s);

/* Each key's default. */
void keys_default(struct scenario *s, struct arena *a);

#define KIND_OF(name) kind_##name
extern const struct kind kind_COUNT, kind_SLUG, kind_LINE, kind_PROSE, kind_LINES, kind_RANGE,
	kind_PORTS, kind_SYSCTL, kind_RATE, kind_TIME, kind_SIZE, kind_SHARE, kind_FLAG,
	kind_ADDRESS, kind_BIND, kind_MILLIS, kind_SECONDS, kind_LINGER, kind_DEVICE, kind_TOPOLOGY,
	kind_FAMILY, kind_BEHAVIOUR, kind_END, kind_ORDER, kind_ON_FAILURE, kind_WHEN;
extern const struct kind kind_RAMP, kind_MIX;
extern const struct kind kind_ADDRESSES, kind_SERVICES; /* places.c */
extern const struct kind kind_PROTOCOL, kind_CHOOSE, kind_LOAD_FAMILY, kind_MAPPING, kind_SCOPE;

/* How long a step of a ramp can take. */
#define RAMP_OVER_MOST (3600 * INT64_C(1000000000))

/* A sysctl that the map of its section cannot set, since it has a key of its own. */
struct owned_setting {
	const char *section, *name, *key;
};
extern const struct owned_setting owned_settings[]; /* the last has no name */

/* "load.hold cannot be "5 days"", with the place; a hint may follow. */
struct err *value_refuse(const struct reading *r, const char *path, const struct node *n);

/* The hint that says what the key takes. */
bool value_hint(const struct reading *r, struct err *err, const struct key *key);

/* The value of a key is none that it can have: an err, with that hint. False. */
bool key_refuse(const struct reading *r, const struct key *key, const struct node *n);

bool slug_is(struct text t); /* [a-z0-9-], up to 63, a letter or digit first */

/* What YAML 1.1 takes for true, false or nothing, unquoted: as a key, tools would read another. */
extern const char *const yaml_words[]; /* ends in NULL */
bool yaml_word_is(struct text t);
bool line_is(struct text t); /* up to 200 bytes without control characters */

/* Text as a YAML scalar that reads back to it, in quotes where it needs them. */
void quote_write(struct out *out, struct text t);
