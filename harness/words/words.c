#include "words/words.h"

#include <errno.h>
#include <string.h>

enum { KNOWN_LATE, KNOWN_LIVE };
enum { UNTIL_SO_FAR, UNTIL_EVER };

const struct measure_info measure_infos[MEASURES] = {
#define MEASURE(name, text, kind, better, known, topic, meaning) \
	[MEASURE_##name] = {text,	   KIND_##kind, BETTER_##better, \
			    TOPIC_##topic, false,	KNOWN_##known == KNOWN_LIVE, \
			    meaning},
#define FAMILY(name, text, kind, better, known, topic, meaning) \
	[MEASURE_##name] = {text,	   KIND_##kind, BETTER_##better, \
			    TOPIC_##topic, true,	KNOWN_##known == KNOWN_LIVE, \
			    meaning},
#include "words/measures.def"
};

const struct prediction_info prediction_infos[PREDICTIONS] = {
#define PREDICTION(name, text, kind, of, until, ...) \
	[PREDICTION_##name] = {text, KIND_##kind, MEASURE_##of, UNTIL_##until == UNTIL_EVER, \
			       __VA_ARGS__},
#include "words/predictions.def"
};

#define CHOICE(name, word, meaning, ...) {word, meaning},
const struct choice topology_words[] = {
#define TOPOLOGY CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice family_words[] = {
#define FAMILY CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice load_family_words[] = {
#define LOAD_FAMILY CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice scope_words[] = {
#define SCOPE CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice choose_words[] = {
#define CHOOSE CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice mapping_words[] = {
#define MAPPING CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice protocol_words[] = {
#define PROTOCOL CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice behaviour_words[] = {
#define BEHAVIOUR CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice bind_words[] = {
#define BIND CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice end_words[] = {
#define END CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice order_words[] = {
#define ORDER CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice on_failure_words[] = {
#define ON_FAILURE CHOICE
#include "words/choices.def"
	{NULL, NULL}};
const struct choice when_words[] = {
#define WHEN CHOICE
#include "words/choices.def"
	{NULL, NULL}};

static const unsigned behaviour_deeds[] = {
#define BEHAVIOUR(name, word, meaning, does) [BEHAVIOUR_##name] = does,
#include "words/choices.def"
};

static const char *const stage_names[][2] = {
#define STAGE(name, text, call) {text, call},
#include "words/stages.def"
};
static const struct {
	const char *name;
	enum cause_sort sort;
	const char *lesson, *refs;
} cause_infos[] = {
#define CAUSE(name, text, sort, lesson, refs) {text, SORT_##sort, lesson, refs},
#include "words/causes.def"
};
const struct cause_alias cause_aliases[] = {
#define VARIANT(name, seen_as, tell) {name, CAUSE_##seen_as, tell},
#define UNSEEN(name, tell) {name, -1, tell},
#include "words/causes.def"
	{NULL, -1, NULL},
};
static const char *const event_names[] = {
#define EVENT(name, text, meaning) text,
#include "words/events.def"
};

bool behaviour_does(enum behaviour behaviour, enum does what)
{
	return behaviour_deeds[behaviour] & what;
}

int choice_find(const struct choice *words, struct text word)
{
	for (int i = 0; words[i].word; i++)
		if (text_is(word, words[i].word))
			return i;
	return -1;
}

const char *choice_near(const struct choice *words, struct text word)
{
	unsigned best = text_slip(word) + 1;
	const char *near = NULL;

	for (; words->word; words++) {
		unsigned d = text_distance(word, text_of(words->word), best);

		if (d < best) {
			best = d;
			near = words->word;
		}
	}
	return near;
}

const char *choice_list(const struct choice *words, struct arena *a)
{
	const char *list = words->word;

	while ((++words)->word)
		list = text_format(a, "%s, %s", list, words->word).s;
	return list;
}

static const bool of_the_whole[MEASURES] = {
#define WHOLE(name) [MEASURE_##name] = true,
#include "words/measures.def"
};

bool measure_is_of_load(enum measure measure)
{
	return !of_the_whole[measure];
}

/* errors.STAGE.ERRNO, squat.errors.STAGE.ERRNO, counter.NAME: what stands behind the family's name. */
static bool row_find(struct text row, struct measure_ref *out)
{
	struct text stage;
	int found;

	if (out->measure == MEASURE_COUNTER) {
		for (size_t i = 0; i < row.len; i++)
			if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678"
				    "9",
				    row.s[i]))
				return false;
		out->counter = row;
		return row.len > 0;
	}
	if (!text_cut(&row, '.', &stage))
		return false;
	found = stage_find(stage);
	out->error = errno_find(row);
	if (found < 0 || out->error == 0)
		return false;
	out->stage = (enum stage)found;
	return true;
}

bool measure_find(struct text name, struct measure_ref *out)
{
	for (int i = 0; i < MEASURES; i++) {
		struct text known = text_of(measure_infos[i].name);

		*out = (struct measure_ref){.measure = (enum measure)i};
		if (measure_infos[i].family
			    ? text_starts(name, known) && row_find(text_skip(name, known.len), out)
			    : text_eq(name, known))
			return true;
	}
	return false;
}

static const char *call_errno(int error)
{
	return strerrorname_np(error);
}

static const char *call_stage(int stage)
{
	return stage_names[stage][0];
}

/* The name of `first` to `end` - 1 nearest to a word; NULL if none is near. */
static const char *nearest(struct text word, const char *(*name)(int), int first, int end)
{
	unsigned best = text_slip(word) + 1;
	const char *near = NULL;

	for (int i = first; i < end; i++) {
		const char *known = name(i);
		unsigned d = known ? text_distance(word, text_of(known), best) : best;

		if (d < best) {
			best = d;
			near = known;
		}
	}
	return near;
}

/* Of a family's row: its stage and its errno, each by itself. */
static struct text row_near(const char *family, struct text row, struct arena *a)
{
	const char *stage, *error;
	struct text word;

	if (!text_cut(&row, '.', &word))
		return (struct text){0};
	stage = nearest(word, call_stage, 0, STAGES);
	error = nearest(row, call_errno, 1, ERRNOS);
	return stage && error ? text_format(a, "%s%s.%s", family, stage, error) : (struct text){0};
}

struct text measure_near(struct text name, struct arena *a)
{
	unsigned best = text_slip(name) + 1;
	struct text near = {0};

	for (int i = 0; i < MEASURES; i++) {
		const char *family = measure_infos[i].family ? measure_infos[i].name : NULL;

		if (family && i != MEASURE_COUNTER && text_starts(name, text_of(family)))
			return row_near(family, text_skip(name, strlen(family)), a);
	}
	for (int i = 0; i < MEASURES; i++) {
		struct text known = text_of(measure_infos[i].name);
		unsigned d = text_distance(name, known, best);

		if (!measure_infos[i].family && d < best) {
			best = d;
			near = known;
		}
	}
	return near;
}

int prediction_find(struct text name)
{
	for (int i = 0; i < PREDICTIONS; i++)
		if (text_is(name, prediction_infos[i].name))
			return i;
	return -1;
}

const char *stage_name(enum stage stage)
{
	return stage_names[stage][0];
}

const char *stage_call(enum stage stage)
{
	return stage_names[stage][1];
}

const char *cause_name(enum cause cause)
{
	return cause_infos[cause].name;
}

const char *cause_lesson(enum cause cause)
{
	return cause_infos[cause].lesson;
}

enum cause_sort cause_sort(enum cause cause)
{
	return cause_infos[cause].sort;
}

const char *cause_refs(enum cause cause)
{
	return cause_infos[cause].refs;
}

static const struct {
	const char *name, *words;
} doubts[DOUBTS] = {
	[DOUBT_NONE] = {"", ""},
#define DOUBT(name, text, words) [DOUBT_##name] = {text, words},
#include "words/doubts.def"
};

const char *doubt_name(enum doubt why)
{
	return doubts[why].name;
}

const char *doubt_words(enum doubt why)
{
	return doubts[why].words;
}

int doubt_find(struct text name)
{
	for (int i = DOUBT_NONE + 1; i < DOUBTS; i++)
		if (text_is(name, doubts[i].name))
			return i;
	return -1;
}

static const struct {
	const char *name, *left, *right;
} books[BOOKS] = {
#define BOOK(name, text, left, right) {text, left, right},
#include "words/books.def"
};

const char *book_name(enum book_kind kind)
{
	return books[kind].name;
}

const char *book_left(enum book_kind kind)
{
	return books[kind].left;
}

const char *book_right(enum book_kind kind)
{
	return books[kind].right;
}

int book_find(struct text name)
{
	for (int i = 0; i < BOOKS; i++)
		if (text_is(name, books[i].name))
			return i;
	return -1;
}

static const struct {
	const char *name, *words;
} exceptions[EXCEPTIONS] = {
#define EXCEPTION(name, text, words) {text, words},
#include "words/books.def"
};

const char *exception_name(enum exception e)
{
	return exceptions[e].name;
}

const char *exception_words(enum exception e)
{
	return exceptions[e].words;
}

int exception_find(struct text name)
{
	for (int i = 0; i < EXCEPTIONS; i++)
		if (text_is(name, exceptions[i].name))
			return i;
	return -1;
}

const char *event_name(enum event_kind kind)
{
	return event_names[kind];
}

int event_find(struct text name)
{
	for (int i = 0; i < EVENTS; i++)
		if (text_is(name, event_names[i]))
			return i;
	return -1;
}

int stage_find(struct text name)
{
	for (int i = 0; i < STAGES; i++)
		if (text_is(name, stage_names[i][0]))
			return i;
	return -1;
}

const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name && error > 0 ? name : "E?";
}

int errno_find(struct text name)
{
	for (int error = 1; error < ERRNOS; error++) {
		const char *known = strerrorname_np(error);

		if (known && text_is(name, known))
			return error;
	}
	return 0;
}

const char *failure_words(enum stage stage, int error)
{
	if (stage == STAGE_RECEIVE && error == ENODATA)
		return "the end of the stream, and no errno: the far end has closed";
	return errno_words(error);
}

const char *errno_words(int error)
{
	const char *words = strerrordesc_np(error);

	return words ? words : "error without a name";
}
