#include "tape/lines.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "tape/usage.h"

/* A sample with every state and 20 digits a figure takes 1,000, and each of its destinations 500,
 * or 1,600 with four holders whose names are escaped throughout. */
enum { LINE_MOST = 16384 };

/* JSON's integers are signed here. */
static json_t *number(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *errno_word(int error)
{
	return errno_find(text_of(errno_name(error))) == error ? json_string(errno_name(error))
							       : json_integer(error);
}

json_t *line_of_event(const struct event *e, unsigned run, struct text load)
{
	json_t *line = json_pack("{s:I, s:I, s:s}", "run", (json_int_t)run, "t_ns",
				 (json_int_t)e->t_ns, "event", event_name(e->kind));

	if (load.len)
		json_object_set_new(line, "load", json_stringn(load.s, load.len));
	if (e->dest != NOWHERE)
		json_object_set_new(line, "dest", json_integer(e->dest));
	if (e->error) {
		json_object_set_new(line, "stage", json_string(stage_name(e->stage)));
		json_object_set_new(line, "errno", errno_word(e->error));
	}
	json_object_set_new(line, "value", json_integer(e->value));
	return line;
}

static json_t *usages_of(const struct sample *s, const struct usage *usages)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < s->usage_count; i++) {
		json_t *o = usage_json(&usages[i]);

		if (usages[i].all_free_ns >= 0) {
			json_object_set_new(o, "next_free_ns",
					    json_integer(usages[i].next_free_ns));
			json_object_set_new(o, "all_free_ns", json_integer(usages[i].all_free_ns));
		}
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *states_of(const uint64_t states[STATES])
{
	json_t *o = json_object();

	for (int i = 1; i < STATES; i++)
		if (states[i])
			json_object_set_new(o, state_name(i), number(states[i]));
	return o;
}

/* Only where there is one. */
static void put_datagrams(json_t *o, const struct datagrams *d)
{
	bool any = false;

	for (int i = 1; i < STATES; i++)
		any |= d->states[i] > 0;
	if (any)
		json_object_set_new(o, "datagrams",
				    json_pack("{s:o, s:o, s:o}", "states", states_of(d->states),
					      "used_max", number(d->used_max), "others_max",
					      number(d->others_max)));
}

static json_t *sockets_of(const struct sample *s, const struct usage *usages)
{
	json_t *o = json_pack("{s:o, s:o, s:o, s:b, s:b}", "states", states_of(s->states),
			      "used_max", number(s->used_max), "dump_ns", number(s->dump_ns),
			      "torn", s->torn, "at_rest", s->at_rest);

	put_datagrams(o, &s->datagrams);
	if (s->overshadowed)
		json_object_set_new(o, "overshadowed", number(s->overshadowed));
	if (s->from_proc)
		json_object_set_new(o, "from_proc", json_true());
	if (s->reserved || s->listening || s->bound)
		json_object_set_new(o, "taken",
				    json_pack("{s:I, s:I, s:I}", "reserved",
					      (json_int_t)s->reserved, "listening",
					      (json_int_t)s->listening, "bound",
					      (json_int_t)s->bound));
	if (s->usage_count)
		json_object_set_new(o, "destinations", usages_of(s, usages));
	if (s->more_count)
		json_object_set_new(o, "more",
				    json_pack("{s:I, s:o}", "destinations",
					      (json_int_t)s->more_count, "used",
					      number(s->more_used)));
	return o;
}

static json_t *gateway_of(const struct tracked *t)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "entries", number(t->entries),
			 "insert_failed", number(t->insert_failed), "drop", number(t->drop),
			 "early_drop", number(t->early_drop), "unmapped", number(t->unmapped));
}

json_t *line_of_sample(const struct sample *s, const struct usage *usages, unsigned run)
{
	json_t *line = json_pack("{s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "run", (json_int_t)run,
				 "t_ns", (json_int_t)s->t_ns, "edge", s->edge, "attempted",
				 number(s->attempted), "opened", number(s->opened), "failed",
				 number(s->failed), "open", number(s->open));

	if (s->parts & SAMPLE_TOTALS)
		json_object_set_new(
			line, "totals",
			json_pack("{s:o, s:o}", "inuse", number(s->inuse), "tw", number(s->tw)));
	if (s->parts & SAMPLE_SOCKETS)
		json_object_set_new(line, "sockets", sockets_of(s, usages));
	if (s->parts & SAMPLE_GATEWAY)
		json_object_set_new(line, "gateway", gateway_of(&s->gateway));
	return line;
}

int line_write(int fd, json_t *line)
{
	char text[LINE_MOST];
	size_t len = json_dumpb(line, text, sizeof(text) - 1, JSON_COMPACT | JSON_ENSURE_ASCII);
	ssize_t n;

	json_decref(line);
	if (len == 0)
		return ENOMEM; /* the line could not be made: lines are never empty */
	if (len > sizeof(text) - 1)
		return EMSGSIZE;
	text[len++] = '\n';
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	return (size_t)n == len
		       ? 0
		       : ENOSPC; /* cut short: the file system is full, or the file at its limit */
}
