/* fuzz_tape.c - any bytes as samples.jsonl and events.jsonl, a NUL between them: read without
 * harm; what was read is written, merged, and reads back the same. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tape/tape.h"

enum { ARENA_ROOM = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_tape: %s\n", what);
	abort();
}

static struct text slurp(int fd, struct arena *a)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *s = ARENA_ARRAY(a, char, (size_t)len + 1);

	must(pread(fd, s, (size_t)len, 0) == len, "could not read back");
	close(fd);
	return (struct text){s, (size_t)len};
}

static bool same_event(const struct event *x, const struct event *y)
{
	return x->t_ns == y->t_ns && x->value == y->value && x->dest == y->dest &&
	       x->kind == y->kind && x->stage == y->stage && x->error == y->error;
}

static bool same_usage(const struct usage *x, const struct usage *y)
{
	return address_eq(x->local, y->local) && address_eq(x->remote, y->remote) &&
	       x->remote_port == y->remote_port && x->datagrams == y->datagrams &&
	       x->usable == y->usable && x->lower == y->lower &&
	       x->holders_known == y->holders_known && x->held_by_others == y->held_by_others &&
	       memcmp(x->holders, y->holders, sizeof(x->holders)) == 0 &&
	       x->next_free_ns == y->next_free_ns && x->all_free_ns == y->all_free_ns &&
	       memcmp(x->states, y->states, sizeof(x->states)) == 0;
}

static bool same_usages(const struct tape *x, const struct sample *a, const struct tape *y,
			const struct sample *b)
{
	bool same = a->usage_count == b->usage_count && a->more_count == b->more_count &&
		    a->more_used == b->more_used && a->reserved == b->reserved &&
		    a->listening == b->listening && a->bound == b->bound;

	for (uint32_t i = 0; same && i < a->usage_count; i++)
		same = same_usage(&sample_usages(x, a)[i], &sample_usages(y, b)[i]);
	return same;
}

static bool same_sample(const struct sample *x, const struct sample *y)
{
	return x->t_ns == y->t_ns && x->parts == y->parts && x->torn == y->torn &&
	       x->from_proc == y->from_proc && x->edge == y->edge && x->at_rest == y->at_rest &&
	       x->attempted == y->attempted && x->opened == y->opened && x->failed == y->failed &&
	       x->open == y->open && x->inuse == y->inuse && x->tw == y->tw &&
	       x->used_max == y->used_max && x->dump_ns == y->dump_ns &&
	       memcmp(x->states, y->states, sizeof(x->states)) == 0;
}

static void read_back(const struct tape *t, struct arena scratch)
{
	int samples = memfd_create("samples", MFD_CLOEXEC),
	    events = memfd_create("events", MFD_CLOEXEC);
	struct tape copy, again;
	struct err err = {0};

	must(samples >= 0 && events >= 0, "no memory file");
	must(tape_open(&copy, t->event_count, t->sample_count, 0, &scratch, &err) &&
		     tape_open_usages(&copy, t->usage_count, &scratch, &err),
	     err.what);
	tape_live(&copy, samples, events, 7);
	for (size_t i = 0; i < t->event_count; i++)
		tape_event(&copy, t->events[i]);
	for (size_t i = 0; i < t->sample_count; i++)
		tape_dump(&copy, t->samples[i], sample_usages(t, &t->samples[i]));
	must(copy.lost == 0 && copy.write_error == 0, "a record was lost");
	must(tape_load(&again, slurp(samples, &scratch), slurp(events, &scratch), 7, &scratch,
		       &err),
	     err.what);
	must(again.event_count == t->event_count && again.sample_count == t->sample_count,
	     "it reads back shorter");
	for (size_t i = 0; i < t->event_count; i++)
		must(same_event(&t->events[i], &again.events[i]),
		     "an event reads back differently");
	for (size_t i = 0; i < t->sample_count; i++)
		must(same_sample(&t->samples[i], &again.samples[i]) &&
			     same_usages(t, &t->samples[i], &again, &again.samples[i]),
		     "a sample reads back differently");
	tape_merge(&again, t);
	must(again.event_count <= again.event_room && again.sample_count <= again.sample_room,
	     "a merge overflows");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *exact = malloc(len ? len : 1); /* past its end ASan sees every read */
	struct text events = {exact, len}, samples;
	struct err err = {0};
	struct arena arena;
	struct tape tape;

	must(exact && arena_open(&arena, ARENA_ROOM), "out of memory");
	if (len)
		memcpy(exact, data, len);
	if (!text_cut(&events, '\0', &samples))
		events = (struct text){0};
	if (tape_load(&tape, samples, events, 0, &arena, &err))
		read_back(&tape, arena);
	else
		must(err.kind == ERR_SCENARIO && err.what[0] && err.at.line > 0,
		     "a refusal has no words or no place");
	arena_close(&arena);
	free(exact);
	return 0;
}
