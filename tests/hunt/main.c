/* make hunt: scenarios drawn from a seed, each planned, run, and held against its plan.
 *
 * A run that breaks what was said for sure, books that do not balance, a crash, a sanitizer's
 * report and a run without an end fail the case; a time out of its tolerance is told, and counted
 * apart. What depends on a machine's speed is judged by the program itself, which excuses a slow one.
 *
 *     hunt [--seed N] [--count N] [--jobs N] [--place DIRECTORY] [--turn] [--keep] PROGRAM
 *
 * Case i has seed N + i: `--seed 4049 --count 1` is one case again. With --turn nothing is run: each
 * plan is held against that of the same loads in the other order.
 *
 * Exit status: 0; 1 where a case failed, or none was tried; 2 where it cannot be done.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "hold.h"
#include "turn.h"

/* Of a scenario; most are taken at the third. */
enum { ATTEMPTS = 64 };

struct hunt {
	struct options options;
	struct score score;
	struct slot slots[SLOTS_MOST];
};

/* The first line that the program said on stderr; and whether a sanitizer has said any. */
static void read_stderr(const struct slot *s, char first[256], bool *sanitized)
{
	char line[512];
	FILE *file = fopen(slot_file(s, "stderr"), "re");

	first[0] = '\0';
	*sanitized = false;
	while (file && fgets(line, sizeof(line), file)) {
		if (!first[0])
			snprintf(first, 256, "%.*s", (int)strcspn(line, "\n"), line);
		*sanitized |= strstr(line, "Sanitizer") || strstr(line, "runtime error");
	}
	if (file)
		fclose(file);
}

/* Behind the file's name, line and column. */
static const char *complaint(const char *line)
{
	const char *file = strstr(line, ".yaml:");

	return file ? file + strcspn(file, " ") : line;
}

/* Did it end as it should? What `plan` refuses, and what this machine cannot give, is skipped. */
static bool ended_well(struct trouble *f, struct score *t, const char *command, int status)
{
	char first[256];
	bool sanitized;

	read_stderr(f->slot, first, &sanitized);
	if (sanitized)
		found(f, WORD_SURE, "%s: a sanitizer's report", command);
	else if (WIFSIGNALED(status))
		found(f, WORD_SURE, "%s: ended by signal %d%s", command, WTERMSIG(status),
		      WTERMSIG(status) == SIGALRM ? ", for it took too long" : "");
	else if (WEXITSTATUS(status) == 3 ||
		 (WEXITSTATUS(status) == 2 && strcmp(command, "plan") == 0))
		score_reason(t, "skipped", complaint(first));
	else if (WEXITSTATUS(status) == 4 && !first[0])
		return true; /* stop.time ended it; what it came to is held against the plan */
	else if (WEXITSTATUS(status) != 0)
		found(f, WORD_SURE, "%s: exit status %d: %s", command, WEXITSTATUS(status), first);
	return status == 0 && !sanitized;
}

static void case_end(struct hunt *h, struct slot *s, const struct trouble *f, bool is_held)
{
	if (is_held || f->sure)
		score_case(&h->score, f);
	else
		h->score.skipped++;
	slot_end(s, h->options.keeps || f->sure || f->likely);
}

/* Its wait status. */
static int plan(struct hunt *h, struct slot *s, const char *name, const struct sketch *sketch)
{
	slot_write(s, name, sketch);
	slot_start(s, &h->options, "plan", name);
	return slot_wait(s);
}

/* The first attempt at a scenario that the reader takes; the others are forgotten. */
static int plan_taken(struct hunt *h, struct slot *s, struct sketch *sketch)
{
	int status;

	do
		status = plan(h, s, "scenario", sketch);
	while (WIFEXITED(status) && WEXITSTATUS(status) == 2 && ++sketch->attempt < ATTEMPTS);
	return status;
}

static void turn_case(struct hunt *h, struct slot *s, struct trouble *f, struct sketch sketch)
{
	bool is_held;

	sketch.turn = TURN_BACKWARDS;
	is_held = ended_well(f, &h->score, "plan", plan(h, s, "turned", &sketch));
	if (is_held)
		turn_hold(f);
	case_end(h, s, f, is_held);
}

/* A case that is planned and then runs, unless its plan is the end of it. */
static void case_begin(struct hunt *h, struct slot *s, uint64_t seed)
{
	struct trouble f = {.slot = s};
	struct sketch sketch = {.seed = seed};

	slot_begin(s, &h->options, seed);
	if (!ended_well(&f, &h->score, "plan", plan_taken(h, s, &sketch)))
		case_end(h, s, &f, false);
	else if (h->options.turns)
		turn_case(h, s, &f, sketch);
	else
		slot_start(s, &h->options, "run", "scenario");
}

static void case_ran(struct hunt *h, struct slot *s)
{
	struct trouble f = {.slot = s};
	bool is_held = ended_well(&f, &h->score, "run", slot_wait(s));

	if (is_held)
		hold_run(&f, &h->score);
	case_end(h, s, &f, is_held);
}

/* One that has ended, or of which nothing runs; NULL: none is left. */
static struct slot *slot_next(struct hunt *h)
{
	siginfo_t ended = {0};
	bool any = false;

	for (unsigned i = 0; i < h->options.jobs; i++)
		any |= h->slots[i].pid != 0;
	if (!any)
		return NULL;
	waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
	for (unsigned i = 0; i < h->options.jobs; i++)
		if (h->slots[i].pid == ended.si_pid)
			return &h->slots[i];
	return NULL;
}

static struct slot *slot_free(struct hunt *h)
{
	for (unsigned i = 0; i < h->options.jobs; i++)
		if (h->slots[i].pid == 0)
			return &h->slots[i];
	return NULL;
}

static void hunt(struct hunt *h)
{
	const struct options *o = &h->options;
	uint64_t begun = 0;
	struct slot *s;

	for (;;) {
		while (begun < o->count && (s = slot_free(h)))
			case_begin(h, s, o->seed + begun++);
		s = slot_next(h);
		if (!s)
			return;
		case_ran(h, s);
	}
}

int main(int argc, char **argv)
{
	static struct hunt h = {
		.options = {.place = "build/hunt", .seed = 1, .count = 100, .jobs = 2},
	};

	h.score.reasons = json_object();
	if (!options_read(&h.options, argc, argv))
		return 2;
	hunt(&h);
	score_told(&h.score);
	return h.score.failed || h.score.passed == 0;
}
