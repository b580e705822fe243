#include "stored.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

enum { TAPE_MOST = 1 << 20 };

static struct text slurp(const char *name, struct arena *a)
{
	const char *path = text_format(a, "tests/data/tapes/%s.tape", name).s;
	char *buffer = ARENA_ARRAY(a, char, TAPE_MOST);
	FILE *f = fopen(path, "r");
	size_t len;

	if (!f) {
		printf("%s cannot be opened\n", path);
		CU_FAIL_FATAL("a tape is missing: the tests run at the top of the source");
	}
	len = fread(buffer, 1, TAPE_MOST, f);
	fclose(f);
	return (struct text){buffer, len};
}

/* What stands below `--- NAME`, up to the next of these. */
static struct text part_of(struct text whole, const char *name, struct arena *a)
{
	const char *head = text_format(a, "--- %s\n", name).s;
	const char *begin = memmem(whole.s, whole.len, head, strlen(head)), *end;
	size_t left;

	if (!begin) {
		CU_FAIL_FATAL("a part of a tape is missing");
		return (struct text){0};
	}
	begin += strlen(head);
	left = whole.len - (size_t)(begin - whole.s);
	end = memmem(begin, left, "\n--- ", 5);
	return (struct text){begin, end ? (size_t)(end - begin) + 1 : left};
}

static uint64_t count_of(const struct measures *m, enum measure what)
{
	return m->fixed[what].present ? (uint64_t)m->fixed[what].n : 0;
}

/* The driver's books are not in the lines of a tape: measures are made of them, and they of
 * measures. */
static void books_of(struct tape *t, const struct measures *m)
{
	const struct value *at = &m->fixed[MEASURE_EXHAUSTED_AT];

	t->tally = (struct tally){
		.attempted = count_of(m, MEASURE_CONNECTS_ATTEMPTED),
		.opened = count_of(m, MEASURE_CONNECTS_OPENED),
		.failed = count_of(m, MEASURE_CONNECTS_FAILED),
		.in_flight = count_of(m, MEASURE_CONNECTS_IN_FLIGHT),
		.open = count_of(m, MEASURE_CONNECTS_OPEN),
		.closed = count_of(m, MEASURE_CONNECTS_CLOSED),
		.reset = count_of(m, MEASURE_CONNECTS_RESET),
		.leaked = count_of(m, MEASURE_LEAKED),
		.inherited = count_of(m, MEASURE_INHERITED),
		.lost = count_of(m, MEASURE_CONNECTS_LOST),
		.held_back = count_of(m, MEASURE_CONNECTS_HELD_BACK),
		.late = count_of(m, MEASURE_CONNECTS_LATE),
		.retries = count_of(m, MEASURE_RETRIES),
		.gave_up = count_of(m, MEASURE_GAVE_UP),
		.self_connects = count_of(m, MEASURE_SELF_CONNECTS),
		.requests_done = count_of(m, MEASURE_REQUESTS_DONE),
		.requests_failed = count_of(m, MEASURE_REQUESTS_FAILED),
	};
	t->tally.requests_reused =
		(uint64_t)(m->fixed[MEASURE_REUSE_RATIO].n * (double)t->tally.requests_done + 0.5);
	for (size_t i = 0; i < m->error_count; i++)
		t->tally.errors[m->errors[i].stage][m->errors[i].error] = m->errors[i].count;
	for (size_t i = 0; i < m->server_error_count; i++)
		t->far_errors[m->server_errors[i].stage][m->server_errors[i].error] =
			m->server_errors[i].count;
	for (size_t i = 0; i < m->squat_error_count; i++)
		t->squat_errors[m->squat_errors[i].stage][m->squat_errors[i].error] =
			m->squat_errors[i].count;
	t->squat_held = count_of(m, MEASURE_SQUAT_HELD);
	t->squat_refused = count_of(m, MEASURE_SQUAT_REFUSED);
	t->far_opened = count_of(m, MEASURE_SERVER_OPENED);
	t->exhausted = count_of(m, MEASURE_EXHAUSTED);
	t->refused_at_ns = at->present ? (int64_t)at->n : -1;
	t->opened_before = count_of(m, MEASURE_EXHAUSTED_AFTER);
	t->open_peak = count_of(m, MEASURE_ESTABLISHED_MAX);
	t->behind_ns = (int64_t)m->fixed[MEASURE_CONNECTS_BEHIND].n;
	t->begin_ns = 0;
	t->end_ns = (int64_t)m->fixed[MEASURE_ELAPSED].n;
}

static void loads_of(struct stored *s, const struct measures *m)
{
	s->tape.loads = ARENA_ARRAY(&s->arena, struct tape, m->load_count);
	s->tape.load_count = m->load_count;
	for (size_t i = 0; i < m->load_count; i++) {
		s->tape.loads[i].load = m->loads[i].name;
		books_of(&s->tape.loads[i], &m->loads[i].measures);
	}
}

static void counters_of(struct stored *s, const struct measures *m)
{
	s->tape.counters = ARENA_ARRAY(&s->arena, struct counter, m->counter_count + 1);
	for (size_t i = 0; i < m->counter_count; i++) {
		struct counter *c = &s->tape.counters[s->tape.counter_count++];

		snprintf(c->name, sizeof(c->name), TEXT_FMT, TEXT_ARG(m->counters[i].name));
		c->last = m->counters[i].moved;
	}
	/* one that did not move, so that it is known that there were some */
	snprintf(s->tape.counters[s->tape.counter_count++].name, 40, "ActiveOpens");
}

/* What was timed is told by measures alone. */
static void measures_keep(struct measures *m, const struct measures *stored)
{
	for (int i = 0; i < MEASURES; i++)
		if (!m->fixed[i].present)
			m->fixed[i] = stored->fixed[i];
}

static bool read_parts(struct stored *s, struct text whole, struct err *err)
{
	struct arena *a = &s->arena;
	struct errs errs = {0};

	if (!scenario_read(&s->file, "tape.yaml", part_of(whole, "scenario", a), a, &errs)) {
		*err = errs.list[0];
		return false;
	}
	return result_load(&s->result, "result.json", part_of(whole, "result", a), a, err) &&
	       plan_make(&s->plan, &s->file.cases[0], s->result.host, s->result.seed, a, err) &&
	       tape_load(&s->tape, part_of(whole, "samples", a), part_of(whole, "events", a), 0, a,
			 err);
}

void stored_open(struct stored *s, const char *name)
{
	const struct measures *m;
	struct err err = {0};

	*s = (struct stored){0};
	CU_ASSERT_FATAL(arena_open(&s->arena, 256 << 20));
	if (!read_parts(s, slurp(name, &s->arena), &err)) {
		printf("%s: %s:%u: %s (%s)\n", name, err.at.file ? err.at.file : "", err.at.line,
		       err.what, err.hint);
		CU_FAIL_FATAL("a tape cannot be read");
	}
	m = &s->result.runs[0].measures;
	books_of(&s->tape, m);
	loads_of(s, m);
	counters_of(s, m);
	measure(&s->measures, &s->tape, &s->plan, &s->arena);
	measures_keep(&s->measures, m);
	judge(&s->verdict, &s->plan, &s->tape, &s->measures, &s->arena);
}

void stored_close(struct stored *s)
{
	arena_close(&s->arena);
}
