/* Records as lines of a file, and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan_help.h"
#include "suites.h"
#include "tape_help.h"

/* What was written to a file in memory. */
static struct text written(int fd, struct arena *a)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *s = ARENA_ARRAY(a, char, (size_t)len + 1);

	CU_ASSERT_EQUAL(pread(fd, s, (size_t)len, 0), len);
	return (struct text){s, (size_t)len};
}

static const struct event some_events[] = {
	{.t_ns = -5, .dest = NOWHERE, .kind = EVENT_LOAD_BEGIN},
	{.t_ns = 160000000,
	 .dest = 0,
	 .kind = EVENT_FAILED,
	 .stage = STAGE_CONNECT,
	 .error = ECONNREFUSED,
	 .value = 7},
	{.t_ns = 170000000,
	 .dest = 3,
	 .kind = EVENT_REFUSED,
	 .stage = STAGE_CONNECT,
	 .error = EADDRNOTAVAIL,
	 .value = 32},
	{.t_ns = 171000000, .dest = 3, .kind = EVENT_EXHAUSTED, .value = 3},
	{.t_ns = 172000000,
	 .dest = 9,
	 .kind = EVENT_FAILED,
	 .stage = STAGE_SOCKET,
	 .error = 41,
	 .value = 33}, /* 41 has no name */
	{.t_ns = 900000000, .dest = 3, .kind = EVENT_RECOVERED, .value = 729000000},
	{.t_ns = INT64_MAX, .dest = NOWHERE, .kind = EVENT_LOAD_END, .value = INT64_MIN},
};

static const struct sample some_samples[] = {
	{.t_ns = -1, .edge = true},
	{.t_ns = 0,
	 .parts = SAMPLE_TOTALS,
	 .inuse = 32,
	 .tw = 7,
	 .attempted = 5,
	 .opened = 4,
	 .failed = 1,
	 .open = 3},
	{.t_ns = 7,
	 .parts = SAMPLE_TOTALS | SAMPLE_SOCKETS,
	 .torn = true,
	 .edge = true,
	 .from_proc = true,
	 .states = {[STATE_TIME_WAIT] = 31, [STATE_BOUND] = 1, [STATE_ESTABLISHED] = INT64_MAX},
	 .used_max = 32,
	 .datagrams = {{[STATE_BOUND] = 1, [STATE_ESTABLISHED] = 9}, 10, 32},
	 .overshadowed = 608,
	 .dump_ns = 81000},
	{.t_ns = 8, .parts = SAMPLE_SOCKETS, .at_rest = true},
	{.t_ns = 9,
	 .parts = SAMPLE_TOTALS | SAMPLE_GATEWAY,
	 .gateway = {.entries = 33,
		     .insert_failed = 4,
		     .drop = 5,
		     .early_drop = INT64_MAX,
		     .unmapped = 7}},
};

/* The last of the samples is a dump that saw these, and seven more besides. */
static const struct usage some_usages[] = {
	{.local = {0, UINT64_C(0xffff0a4d0001)},
	 .remote = {0, UINT64_C(0xffff0a4d0002)},
	 .remote_port = 8080,
	 .usable = 28,
	 .states = {[STATE_TIME_WAIT] = 20, [STATE_ESTABLISHED] = 4},
	 .outside = 2,
	 .lower = 14,
	 .next_free_ns = 120000000,
	 .all_free_ns = 59000000000,
	 .holders_known = true,
	 .holders = {{0, "this load", 20, -1, -1}, {4711, "a\\x1bb", 1, 7, 12}},
	 .held_by_others = 3},
	{.local = {UINT64_C(0xfd77000000000000), 1},
	 .datagrams = true,
	 .usable = 65536,
	 .states = {[STATE_ESTABLISHED] = UINT32_MAX},
	 .next_free_ns = -1,
	 .all_free_ns = -1},
	/* what the next connect() may have */
	{.local = {0, UINT64_C(0xffff0a4d0001)}, .usable = 1, .states = {[STATE_TIME_WAIT] = 1}},
};

enum { USAGES_WRITTEN = sizeof(some_usages) / sizeof(some_usages[0]) };

static const struct sample with_usages = {
	.t_ns = 10,
	.parts = SAMPLE_SOCKETS,
	.used_max = 24,
	.reserved = 2,
	.listening = 1,
	.bound = 1,
	.usage_count = USAGES_WRITTEN,
	.more_count = 7,
	.more_used = 11,
};

enum { EVENTS_WRITTEN = sizeof(some_events) / sizeof(some_events[0]) };
enum { SAMPLES_WRITTEN = sizeof(some_samples) / sizeof(some_samples[0]) };

static bool same_event(const struct event *a, const struct event *b)
{
	return a->t_ns == b->t_ns && a->value == b->value && a->dest == b->dest &&
	       a->kind == b->kind && a->stage == b->stage && a->error == b->error;
}

static bool same_usage(const struct usage *a, const struct usage *b)
{
	return address_eq(a->local, b->local) && address_eq(a->remote, b->remote) &&
	       a->remote_port == b->remote_port && a->datagrams == b->datagrams &&
	       a->usable == b->usable && a->outside == b->outside && a->lower == b->lower &&
	       a->next_free_ns == b->next_free_ns && a->all_free_ns == b->all_free_ns &&
	       a->holders_known == b->holders_known && a->held_by_others == b->held_by_others &&
	       memcmp(a->holders, b->holders, sizeof(a->holders)) == 0 &&
	       memcmp(a->states, b->states, sizeof(a->states)) == 0;
}

static bool has_usages(const struct tape *t, const struct sample *s)
{
	bool same = s->usage_count == USAGES_WRITTEN && s->more_count == 7 && s->more_used == 11 &&
		    s->reserved == 2 && s->listening == 1 && s->bound == 1;

	for (size_t i = 0; same && i < USAGES_WRITTEN; i++)
		same = same_usage(&sample_usages(t, s)[i], &some_usages[i]);
	return same;
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
	return a->t_ns == b->t_ns && a->parts == b->parts && a->torn == b->torn &&
	       a->edge == b->edge && a->at_rest == b->at_rest && a->attempted == b->attempted &&
	       a->opened == b->opened && a->failed == b->failed && a->open == b->open &&
	       a->inuse == b->inuse && a->tw == b->tw && a->used_max == b->used_max &&
	       a->dump_ns == b->dump_ns && a->overshadowed == b->overshadowed &&
	       a->from_proc == b->from_proc &&
	       memcmp(&a->datagrams, &b->datagrams, sizeof(a->datagrams)) == 0 &&
	       memcmp(&a->gateway, &b->gateway, sizeof(a->gateway)) == 0 &&
	       memcmp(a->states, b->states, sizeof(a->states)) == 0;
}

/* Both files as run 2 leaves them, with a record of run 1 in between. */
static void write_some(struct text *samples, struct text *events, struct arena *a)
{
	int s = memfd_create("samples", MFD_CLOEXEC), e = memfd_create("events", MFD_CLOEXEC);
	struct tape own = tape_new(a), other = tape_new(a);

	CU_ASSERT_FATAL(s >= 0 && e >= 0);
	tape_live(&own, s, e, 2);
	tape_live(&other, s, e, 1);
	for (size_t i = 0; i < EVENTS_WRITTEN; i++) {
		tape_event(&own, some_events[i]);
		tape_event(&other, some_events[i]);
	}
	for (size_t i = 0; i < SAMPLES_WRITTEN; i++) {
		tape_sample(&own, some_samples[i]);
		tape_sample(&other, some_samples[i]);
	}
	tape_dump(&own, with_usages, some_usages);
	CU_ASSERT_EQUAL(own.write_error, 0);
	*samples = written(s, a);
	*events = written(e, a);
	close(s);
	close(e);
}

static void records_come_back_from_their_lines(void)
{
	struct arena a = help_arena();
	struct text samples, events;
	struct tape t;
	struct err err = {0};

	write_some(&samples, &events, &a);
	CU_ASSERT_FATAL(tape_load(&t, samples, events, 2, &a, &err));
	CU_ASSERT_EQUAL_FATAL(t.event_count, EVENTS_WRITTEN);
	CU_ASSERT_EQUAL_FATAL(t.sample_count, SAMPLES_WRITTEN + 1);
	CU_ASSERT(has_usages(&t, &t.samples[SAMPLES_WRITTEN]));
	for (size_t i = 0; i < EVENTS_WRITTEN; i++)
		CU_ASSERT(same_event(&t.events[i], &some_events[i]));
	for (size_t i = 0; i < SAMPLES_WRITTEN; i++)
		CU_ASSERT(same_sample(&t.samples[i], &some_samples[i]));
	CU_ASSERT_EQUAL(t.lost, 0);
	arena_close(&a);
}

static void lines_are_ascii_and_end(void)
{
	struct arena a = help_arena();
	struct text samples, events, line;

	write_some(&samples, &events, &a);
	CU_ASSERT_EQUAL(samples.s[samples.len - 1], '\n');
	CU_ASSERT(text_cut(&events, '\n', &line));
	CU_ASSERT(text_is(line, "{\"run\":2,\"t_ns\":-5,\"event\":\"load-begin\",\"value\":0}"));
	for (int i = 0; i < 4; i++)
		CU_ASSERT(text_cut(&events, '\n', &line));
	CU_ASSERT(text_is(line, "{\"run\":2,\"t_ns\":170000000,\"event\":\"refused\",\"dest\":3,"
				"\"stage\":\"connect\","
				"\"errno\":\"EADDRNOTAVAIL\",\"value\":32}"));
	for (size_t i = 0; i < samples.len; i++)
		CU_ASSERT(samples.s[i] == '\n' || (samples.s[i] >= 0x20 && samples.s[i] < 0x7f));
	arena_close(&a);
}

/* A crash may end the file anywhere. Whole lines are kept, a torn one is not, and nothing is
 * refused. */
static void a_file_may_end_at_any_byte(void)
{
	struct arena a = help_arena();
	struct text samples, events;

	write_some(&samples, &events, &a);
	for (size_t len = 0; len <= events.len; len++) {
		struct arena scratch = a;
		struct text part = {text_keep(&scratch, (struct text){events.s, len}).s, len};
		size_t whole = 0;
		struct tape t;
		struct err err = {0};

		for (size_t i = 0; i < len; i++)
			whole += part.s[i] == '\n';
		whole += len > 0 && part.s[len - 1] == '}' &&
			 (len == events.len || events.s[len] == '\n');
		CU_ASSERT_FATAL(tape_load(&t, (struct text){0}, part, 2, &scratch, &err));
		CU_ASSERT_EQUAL(t.event_count, (whole + 1) / 2); /* every second line is run 1's */
	}
	arena_close(&a);
}

static void lines_that_are_no_records_are_refused(void)
{
#define EVENT_HEAD "{\"run\":2,\"t_ns\":0,\"event\":\"failed\",\"value\":0"
#define SAMPLE_HEAD "{\"run\":2,\"t_ns\":0,\"attempted\":0,\"opened\":0,\"failed\":0,\"open\":0"
	static const struct {
		const char *samples, *events;
		unsigned line;
	} rows[] = {
		{"", "\n", 1},
		{"", EVENT_HEAD "}\nx\n", 2},
		{"", EVENT_HEAD "}\n\n" EVENT_HEAD "}\n", 2},
		{"", "[]\n", 1},
		{"", "{\"run\":2}\n", 1},
		{"", EVENT_HEAD ",\"value\":1}\n", 1}, /* twice */
		{"", EVENT_HEAD ",\"dest\":-1}\n", 1},
		{"", EVENT_HEAD ",\"dest\":4294967296}\n", 1},
		{"", EVENT_HEAD ",\"errno\":\"EPERM\"}\n", 1},
		{"", EVENT_HEAD ",\"stage\":\"connect\"}\n", 1},
		{"", EVENT_HEAD ",\"stage\":\"connect\",\"errno\":\"ENOSUCH\"}\n", 1},
		{"", EVENT_HEAD ",\"stage\":\"connect\",\"errno\":134}\n", 1},
		{"", EVENT_HEAD ",\"stage\":\"Connect\",\"errno\":\"EPERM\"}\n", 1},
		{"", "{\"run\":2,\"t_ns\":0,\"event\":\"nothing\",\"value\":0}\n", 1},
		{"", "{\"run\":-2,\"t_ns\":0,\"event\":\"failed\",\"value\":0}\n", 1},
		{"", "{\"run\":2,\"t_ns\":0.5,\"event\":\"failed\",\"value\":0}\n", 1},
		{SAMPLE_HEAD "}\n" SAMPLE_HEAD ",\"edge\":1}\n", "", 2},
		{SAMPLE_HEAD ",\"totals\":{\"inuse\":1}}\n", "", 1},
		{SAMPLE_HEAD ",\"gateway\":{\"entries\":1}}\n", "", 1},
		{SAMPLE_HEAD ",\"totals\":7}\n", "", 1},
		{SAMPLE_HEAD
		 ",\"sockets\":{\"states\":{},\"torn\":false,\"at_rest\":true,\"used_max\":1}}\n",
		 "", 1},
		{SAMPLE_HEAD ",\"sockets\":{\"states\":{\"OPEN\":1},\"torn\":false,\"at_rest\":"
			     "true,\"used_max\":1,"
			     "\"dump_ns\":1}}\n",
		 "", 1},
		{SAMPLE_HEAD ",\"sockets\":{\"states\":[],\"torn\":false,\"at_rest\":true,\"used_"
			     "max\":1,\"dump_ns\":1}}\n",
		 "", 1},
		{SAMPLE_HEAD ",\"open\":-1}\n", "", 1},
		{"{\"run\":2,\"t_ns\":0,\"attempted\":0,\"opened\":0,\"failed\":0,\"open\":-1}\n",
		 "", 1},
		{"{\"run\":2,\"t_ns\":0,\"attempted\":0,\"opened\":0,\"failed\":0}\n", "", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct tape t;
		struct err err = {0};

		CU_ASSERT(!tape_load(&t, text_of(rows[i].samples), text_of(rows[i].events), 2, &a,
				     &err));
		CU_ASSERT_EQUAL(err.kind, ERR_SCENARIO);
		CU_ASSERT_EQUAL(err.at.line, rows[i].line);
		CU_ASSERT_STRING_EQUAL(err.at.file,
				       rows[i].events[0] ? "events.jsonl" : "samples.jsonl");
		if (err.at.line != rows[i].line)
			printf("row %zu: %s\n", i, err.what);
		arena_close(&a);
	}
}

static void loaded_events_tell_the_findings(void)
{
	struct arena a = help_arena();
	struct text samples, events;
	struct tape t;
	struct err err = {0};

	write_some(&samples, &events, &a);
	CU_ASSERT_FATAL(tape_load(&t, samples, events, 2, &a, &err));
	CU_ASSERT(t.exhausted);
	CU_ASSERT_EQUAL(t.open_peak, 3);
	CU_ASSERT_EQUAL(t.refused_at_ns, 170000000);
	CU_ASSERT_EQUAL(t.opened_before, 32);
	CU_ASSERT_EQUAL(t.recovered_ns, 730000000);
	CU_ASSERT(t.complete);
	CU_ASSERT_EQUAL(t.end_ns, INT64_MAX);
	CU_ASSERT_FATAL(
		tape_load(&t, TEXT(""),
			  TEXT("{\"run\":0,\"t_ns\":9,\"event\":\"interrupted\",\"value\":15}\n"
			       "{\"run\":0,\"t_ns\":9,\"event\":\"load-end\",\"value\":0}\n"),
			  0, &a, &err));
	CU_ASSERT_EQUAL(t.interrupted, 15);
	CU_ASSERT(!t.complete);
	CU_ASSERT(!t.exhausted);
	CU_ASSERT_EQUAL(t.refused_at_ns, -1);
	arena_close(&a);
}

static void a_full_tape_counts_what_it_loses(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a);

	for (int i = 0; i < ROOM + 3; i++)
		tape_event(&t, (struct event){.t_ns = i});
	for (int i = 0; i < ROOM + 4; i++)
		tape_sample(&t, (struct sample){.t_ns = i});
	CU_ASSERT_EQUAL(t.event_count, ROOM);
	CU_ASSERT_EQUAL(t.sample_count, ROOM);
	CU_ASSERT_EQUAL(t.lost, 7);
	CU_ASSERT_EQUAL(t.samples[ROOM - 1].t_ns, ROOM - 1);
	arena_close(&a);
}

/* A line behind a torn one would make the file unreadable. */
static void nothing_is_written_after_a_failed_write(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a);
	int closed = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    fd = memfd_create("samples", MFD_CLOEXEC);

	CU_ASSERT_FATAL(closed >= 0 && fd >= 0);
	tape_live(&t, fd, closed, 0);
	tape_event(&t, (struct event){0});
	CU_ASSERT_EQUAL(t.write_error, EBADF);
	tape_sample(&t, (struct sample){0});
	CU_ASSERT_EQUAL(t.write_error, EBADF);
	CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), 0);
	CU_ASSERT_EQUAL(t.sample_count, 1);
	close(closed);
	close(fd);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(records_come_back_from_their_lines),
	TEST(lines_are_ascii_and_end),
	TEST(a_file_may_end_at_any_byte),
	TEST(lines_that_are_no_records_are_refused),
	TEST(loaded_events_tell_the_findings),
	TEST(a_full_tape_counts_what_it_loses),
	TEST(nothing_is_written_after_a_failed_write),
	TESTS_END,
};

const struct suite suite_tape_lines = {"tape: lines", tests};
