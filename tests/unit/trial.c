#include "trial.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void trial_open(struct trial *t, const char *lines)
{
	struct err err = {0};

	*t = (struct trial){.arena = help_arena(), .host = help_host()};
	if (!plan_make(&t->plan, help_scenario(lines, &t->arena), &t->host, 1, &t->arena, &err) ||
	    !tape_open(&t->tape, 64, 64, 64, &t->arena, &err) ||
	    !tape_open_usages(&t->tape, 64, &t->arena, &err))
		CU_FAIL_FATAL("a test's plan cannot be made");
	t->tape.end_ns = 1000000000;
	t->tape.complete = true;
}

void trial_close(struct trial *t)
{
	arena_close(&t->arena);
}

struct sample *trial_dump(struct trial *t, uint64_t used)
{
	tape_sample(&t->tape, (struct sample){.parts = SAMPLE_SOCKETS,
					      .t_ns = (int64_t)t->tape.sample_count * 100000000,
					      .used_max = used,
					      .at_rest = true});
	return &t->tape.samples[t->tape.sample_count - 1];
}

void trial_usages(struct trial *t, struct sample dump, const struct usage *usages)
{
	dump.parts = SAMPLE_SOCKETS;
	tape_dump(&t->tape, dump, usages);
}

void trial_exhaust(struct trial *t, uint64_t opened)
{
	t->tape.tally.attempted += opened;
	t->tape.tally.opened += opened;
	t->tape.exhausted = true;
	t->tape.opened_before = opened;
	t->tape.refused_at_ns = 160000000;
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
}

void trial_fail(struct trial *t, enum stage stage, int error, uint64_t n)
{
	t->tape.tally.attempted += n;
	t->tape.tally.failed += n;
	t->tape.tally.errors[stage][error] += n;
}

void trial_judge(struct trial *t)
{
	measure(&t->measures, &t->tape, &t->plan, &t->arena);
	judge(&t->verdict, &t->plan, &t->tape, &t->measures, &t->arena);
}

const struct finding *trial_cause(const struct trial *t, enum cause cause)
{
	for (size_t i = 0; i < t->verdict.cause_count; i++)
		if (t->verdict.causes[i].cause == cause)
			return &t->verdict.causes[i];
	return NULL;
}

bool text_has(struct text t, const char *part)
{
	return t.len && memmem(t.s, t.len, part, strlen(part));
}

bool row_says(size_t row, struct text t, const char *part)
{
	bool says = text_has(t, part);

	if (!says)
		printf("row %zu: " TEXT_FMT "\n", row, TEXT_ARG(t));
	return says;
}

bool lines_have(const struct line_list *lines, const char *part)
{
	for (size_t i = 0; i < lines->count; i++)
		if (text_has(lines->list[i], part))
			return true;
	return false;
}

struct result *trial_result(struct trial *t, struct text words)
{
	struct result *r = ARENA_NEW(&t->arena, struct result);
	struct result_run *run = ARENA_NEW(&t->arena, struct result_run);
	struct result_setting *setting = ARENA_NEW(&t->arena, struct result_setting);
	struct line_list argv = {ARENA_NEW(&t->arena, struct text), 1};

	argv.list[0] = words;
	*setting = (struct result_setting){words, words, words, words, 7, WHERE_CLIENT};
	result_of(run, &t->plan, &t->tape, &t->arena);
	run->scenario = run->case_name = run->title = run->file = run->sha256 = words;
	run->settings = setting;
	run->setting_count = 1;
	for (size_t i = 0; i < run->verdict.expect_count; i++)
		run->verdict.expect[i].at.file = text_z(&t->arena, words);
	*r = (struct result){
		.version = words, .complete = true, .argv = argv, .seed = 1, .host = &t->host};
	r->runs = run;
	r->run_count = 1;
	r->word = result_word(r);
	return r;
}

struct text trial_json(const struct result *r, struct arena *a)
{
	struct out out = out_memory(ARENA_ARRAY(a, char, 1 << 20), 1 << 20);

	CU_ASSERT(result_write_json(&out, r));
	CU_ASSERT_EQUAL(out.sys, 0);
	return out_written(&out);
}

struct text trial_summary(const struct result *r, struct report_style style, bool colour,
			  struct arena *a)
{
	struct out out = out_memory(ARENA_ARRAY(a, char, 1 << 20), 1 << 20);

	out.colour = colour;
	result_write_summary(&out, r, style, *a);
	CU_ASSERT_EQUAL(out.sys, 0);
	return out_written(&out);
}

void trial_churned(struct trial *t, const char *lines)
{
	trial_open(t, lines);
	trial_exhaust(t, 32);
	t->tape.tally.closed = 32;
	trial_dump(t, 32)->states[STATE_TIME_WAIT] = 32;
}

void trial_run_out(struct trial *t)
{
	trial_churned(t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			 "load: {rate: 200/s, total: 320}\n"
			 "expect: [exhausted.after == 32, time_wait.end == 0, recovery < 1s]");
	t->tape.counters[t->tape.counter_count++] = (struct counter){"ActiveOpens", 1, 33};
}
