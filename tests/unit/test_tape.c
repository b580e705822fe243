#include "tape/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan_help.h"
#include "suites.h"

enum { ROOM = 16 };

static struct tape tape_new(struct arena *a)
{
	struct tape t;
	struct err err = {0};

	CU_ASSERT_FATAL(tape_open(&t, ROOM, ROOM, ROOM, a, &err));
	CU_ASSERT_FATAL(tape_open_usages(&t, ROOM, a, &err));
	return t;
}

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
	 .gateway = {.entries = 33, .insert_failed = 4, .drop = 5, .early_drop = INT64_MAX}},
};

/* The last of the samples is a dump that saw these, and seven more besides. */
static const struct usage some_usages[] = {
	{.local = {0, UINT64_C(0xffff0a4d0001)},
	 .remote = {0, UINT64_C(0xffff0a4d0002)},
	 .remote_port = 8080,
	 .usable = 28,
	 .states = {[STATE_TIME_WAIT] = 20, [STATE_ESTABLISHED] = 4},
	 .lower = 14,
	 .next_free_ns = 120000000,
	 .all_free_ns = 59000000000,
	 .holders_known = true,
	 .holders = {{0, "this load", 20}, {4711, "a\\x1bb", 1}},
	 .held_by_others = 3},
	{.local = {UINT64_C(0xfd77000000000000), 1},
	 .datagrams = true,
	 .usable = 65536,
	 .states = {[STATE_ESTABLISHED] = UINT32_MAX},
	 .next_free_ns = -1,
	 .all_free_ns = -1},
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
	       a->usable == b->usable && a->lower == b->lower &&
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
	CU_ASSERT_EQUAL(t.recovered_ns, 729000000);
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

static void merge_keeps_the_order_of_time(void)
{
	static const int64_t first[] = {1, 4, 4, 9}, second[] = {0, 4, 5, 10, 11},
			     both[] = {0, 1, 4, 4, 4, 5, 9, 10, 11};
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	for (size_t i = 0; i < 4; i++) {
		tape_event(&into, (struct event){.t_ns = first[i], .value = 1});
		tape_sample(&into, (struct sample){.t_ns = first[i], .opened = 1});
	}
	for (size_t i = 0; i < 5; i++) {
		tape_event(&more, (struct event){.t_ns = second[i], .value = 2});
		tape_sample(&more, (struct sample){.t_ns = second[i], .opened = 2});
	}
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.event_count, 9);
	CU_ASSERT_EQUAL_FATAL(into.sample_count, 9);
	for (size_t i = 0; i < 9; i++) {
		CU_ASSERT_EQUAL(into.events[i].t_ns, both[i]);
		CU_ASSERT_EQUAL(into.samples[i].t_ns, both[i]);
	}
	CU_ASSERT_EQUAL(into.events[3].value, 1); /* of three at one time, into's two are first */
	CU_ASSERT_EQUAL(into.events[4].value, 2);
	CU_ASSERT_EQUAL(into.lost, 0);
	arena_close(&a);
}

/* Whose samples stand before others' in the end: each keeps its own destinations. */
static void merge_keeps_the_destinations_of_each_dump(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);
	struct sample dump = {.parts = SAMPLE_SOCKETS, .usage_count = 1};

	for (uint32_t i = 0; i < 3; i++) {
		dump.t_ns = 2 * i;
		tape_dump(&into, dump, &(struct usage){.usable = 10 + i});
		dump.t_ns = 2 * i + 1;
		tape_dump(&more, dump, &(struct usage){.usable = 20 + i});
	}
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.sample_count, 6);
	for (uint32_t i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(sample_usages(&into, &into.samples[i])->usable,
				(i % 2 ? 20 : 10) + i / 2);
	CU_ASSERT_EQUAL(tape_last_dump(&into)->t_ns, 5);
	arena_close(&a);
}

static void destinations_without_room_are_counted(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a), bare;
	struct usage some[USAGES_MOST] = {0};
	struct sample dump = {.parts = SAMPLE_SOCKETS, .usage_count = USAGES_MOST, .more_count = 1};
	struct err err = {0};

	for (int i = 0; i < USAGES_MOST; i++)
		some[i].states[STATE_TIME_WAIT] = 2;
	for (int i = 0; i < 3; i++)
		tape_dump(&t, dump, some);
	CU_ASSERT(t.samples[1].usage_count == USAGES_MOST && t.samples[1].more_count == 1);
	CU_ASSERT_EQUAL(t.samples[2].usage_count, 0);
	CU_ASSERT_EQUAL(t.samples[2].more_count, USAGES_MOST + 1);
	CU_ASSERT_EQUAL(t.samples[2].more_used, 2 * USAGES_MOST);
	CU_ASSERT_FATAL(tape_open(&bare, 0, ROOM, 0, &a, &err));
	tape_merge(&bare, &t);
	CU_ASSERT(bare.samples[0].usage_count == 0 && bare.samples[0].more_used == 16);
	CU_ASSERT(t.lost == 0 && bare.lost == 0);
	arena_close(&a);
}

static void merge_without_room_loses_the_latest(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	for (int i = 0; i < ROOM - 2; i++)
		tape_event(&into, (struct event){.t_ns = i});
	for (int i = 0; i < 5; i++)
		tape_event(&more, (struct event){.t_ns = i});
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL(into.event_count, ROOM);
	CU_ASSERT_EQUAL(into.lost, 3);
	CU_ASSERT_EQUAL(into.events[3].t_ns, 1);
	arena_close(&a);
}

static void merge_takes_the_first_finding_and_sums_the_books(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	into.tally = (struct tally){.attempted = 10, .opened = 8, .failed = 2, .closed = 8};
	into.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 2;
	into.complete = true;
	into.end_ns = 100;
	into.refused_at_ns = 90;
	into.opened_before = 8;
	into.recovered_ns = 7;
	into.open_peak = 6;
	more.open_peak = 9;
	into.exhausted = true;
	more.tally = (struct tally){.attempted = 5, .opened = 4, .failed = 1, .leaked = 4};
	more.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	more.complete = true;
	more.end_ns = 120;
	more.refused_at_ns = 50;
	more.opened_before = 4;
	more.interrupted = 2;
	more.lost = 1;
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL(into.tally.attempted, 15);
	CU_ASSERT_EQUAL(into.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL], 3);
	CU_ASSERT(tally_balances(&into.tally));
	CU_ASSERT_EQUAL(into.refused_at_ns, 50);
	CU_ASSERT_EQUAL(into.opened_before, 4);
	CU_ASSERT_EQUAL(into.open_peak, 9);
	CU_ASSERT_EQUAL(into.recovered_ns, 7);
	CU_ASSERT_EQUAL(into.end_ns, 120);
	CU_ASSERT_EQUAL(into.interrupted, 2);
	CU_ASSERT_EQUAL(into.lost, 1);
	CU_ASSERT(into.exhausted && into.complete);
	arena_close(&a);
}

static void merge_is_complete_only_if_every_load_is(void)
{
	static const struct {
		bool first, second;   /* complete */
		uint64_t more_opened; /* 0: a sampler's */
		bool both;
	} rows[] = {
		{true, true, 1, true},	{true, false, 1, false},  {false, true, 1, false},
		{true, false, 0, true}, {false, false, 0, false}, {false, false, 1, false},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tape into = tape_new(&a), more = tape_new(&a);

		into.tally.attempted = 1;
		into.complete = rows[i].first;
		more.tally.attempted = rows[i].more_opened;
		more.complete = rows[i].second;
		tape_merge(&into, &more);
		CU_ASSERT_EQUAL(into.complete, rows[i].both);
	}
	arena_close(&a);
}

static void merge_sums_the_moves_of_a_counter(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	into.counters[into.counter_count++] = (struct counter){"ActiveOpens", 5, 7};
	more.counters[more.counter_count++] = (struct counter){"ActiveOpens", 100, 101};
	more.counters[more.counter_count++] = (struct counter){"TWRecycled", 0, 3};
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.counter_count, 2);
	CU_ASSERT_EQUAL(into.counters[0].last - into.counters[0].first, 3);
	CU_ASSERT_STRING_EQUAL(into.counters[1].name, "TWRecycled");
	arena_close(&a);
}

static void books_balance_or_do_not(void)
{
	static const struct {
		struct tally t;
		bool balances;
	} rows[] = {
		{{0}, true},
		{{.attempted = 6,
		  .opened = 3,
		  .failed = 2,
		  .in_flight = 1,
		  .open = 1,
		  .reset = 1,
		  .leaked = 1},
		 true},
		{{.attempted = 5, .opened = 3, .failed = 2, .in_flight = 1, .open = 3}, false},
		{{.attempted = 3, .opened = 3, .open = 1, .closed = 1}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(tally_balances(&rows[i].t), rows[i].balances);
}

static void each_state_has_a_name_that_finds_it(void)
{
	for (int i = 1; i < STATES; i++)
		CU_ASSERT_EQUAL(state_find(text_of(state_name(i))), i);
	CU_ASSERT_EQUAL(state_find(TEXT("OPEN")), 0);
}

static void the_first_of_the_fullest_dumps_is_found(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a);

	CU_ASSERT_PTR_NULL(tape_fullest(&t));
	tape_sample(&t, (struct sample){.parts = SAMPLE_TOTALS, .used_max = 99});
	CU_ASSERT_PTR_NULL(tape_fullest(&t));
	for (uint64_t used = 1; used < 6; used++)
		tape_sample(&t, (struct sample){.parts = SAMPLE_SOCKETS,
						.used_max = used % 5 + used / 5 * 4});
	CU_ASSERT_PTR_EQUAL(tape_fullest(&t), &t.samples[4]);
	arena_close(&a);
}

/* With thousands of destinations each of a dump's may have one port in use, the first dump's too. */
static void the_dump_that_tells_who_holds_the_ports_is_found(void)
{
	static const struct {
		bool exhausted;
		int64_t refused_at_ns;
		struct {
			int64_t t_ns;
			uint64_t used_max, waiting;
		} dumps[4];
		size_t peak;
	} rows[] = {
		{false, -1, {{1, 1, 3}, {2, 1, 4000}, {3, 1, 4000}, {4, 1, 10}}, 1},
		{false, -1, {{1, 2, 30}, {2, 3, 20}, {3, 1, 40}, {4, 1, 10}}, 2},
		{true, 3, {{1, 4, 9000}, {2, 4, 12000}, {3, 4, 8000}, {4, 4, 16000}}, 2},
		{true, 3, {{1, 4, 8000}, {2, 4, 12000}, {3, 3, 16000}, {4, 3, 16000}}, 1},
		{true, 9, {{1, 4, 8000}, {2, 4, 12000}, {3, 4, 9000}, {4, 5, 10}}, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct tape t = tape_new(&a);

		CU_ASSERT_PTR_NULL(tape_peak(&t));
		t.exhausted = rows[i].exhausted;
		t.refused_at_ns = rows[i].refused_at_ns;
		for (int k = 0; k < 4; k++)
			tape_sample(&t,
				    (struct sample){.parts = SAMPLE_SOCKETS,
						    .t_ns = rows[i].dumps[k].t_ns,
						    .used_max = rows[i].dumps[k].used_max,
						    .states = {[STATE_TIME_WAIT] =
								       rows[i].dumps[k].waiting}});
		tape_sample(&t, (struct sample){.parts = SAMPLE_TOTALS, .t_ns = 5, .used_max = 99});
		CU_ASSERT_PTR_EQUAL(tape_peak(&t), &t.samples[rows[i].peak]);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(records_come_back_from_their_lines),
	TEST(lines_are_ascii_and_end),
	TEST(a_file_may_end_at_any_byte),
	TEST(lines_that_are_no_records_are_refused),
	TEST(loaded_events_tell_the_findings),
	TEST(a_full_tape_counts_what_it_loses),
	TEST(nothing_is_written_after_a_failed_write),
	TEST(merge_keeps_the_order_of_time),
	TEST(merge_keeps_the_destinations_of_each_dump),
	TEST(destinations_without_room_are_counted),
	TEST(merge_without_room_loses_the_latest),
	TEST(merge_takes_the_first_finding_and_sums_the_books),
	TEST(merge_is_complete_only_if_every_load_is),
	TEST(merge_sums_the_moves_of_a_counter),
	TEST(books_balance_or_do_not),
	TEST(each_state_has_a_name_that_finds_it),
	TEST(the_first_of_the_fullest_dumps_is_found),
	TEST(the_dump_that_tells_who_holds_the_ports_is_found),
	TESTS_END,
};

const struct suite suite_tape = {"tape", tests};
