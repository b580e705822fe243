#include "starve.h"

#include <stdio.h>
#include <string.h>

#include "base/out.h"
#include "peer.h"
#include "place.h"
#include "report/result.h"

enum { WANTED = 64, LINE_MOST = 110 };

#define FEW \
	"network: {topology: loopback, ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define NOT_OURS FEW "server: {behaviour: refuse}\n"
#define OURS \
	FEW "server: {behaviour: hold}\nload: {concurrency: 64, total: 64, end: leak}\n" \
	    "expect: [exhausted == false]\n"

static bool text_has(struct text t, const char *word)
{
	return memmem(t.s, t.len, word, strlen(word)) != NULL;
}

static bool is_telling(struct text line, const char *const *tells)
{
	for (; *tells; tells++)
		if (text_has(line, *tells))
			return true;
	return false;
}

/* The first line that tells of it; else the last that says anything. */
static struct text line_of(struct text said, const char *const *tells)
{
	struct text line, last = TEXT("");
	bool more;

	do {
		more = text_cut(&said, '\n', &line);
		line = text_trim(line);
		if (is_telling(line, tells))
			return line;
		if (line.len)
			last = line;
	} while (more);
	return last;
}

static void tell(json_t *all, const char *name, int status, struct text line)
{
	char room[10 * LINE_MOST + 1];
	struct out out = out_memory(room, sizeof(room) - 1);

	line.len = line.len < LINE_MOST ? line.len : LINE_MOST;
	out_escaped(&out, line);
	room[out.len] = '\0';
	printf("%-10s %6d  %s\n", name, status, line.len ? room : "(nothing)");
	json_array_append_new(
		all, json_pack("{s:s, s:i, s:s}", "program", name, "status", status, "says", room));
}

static void starve_peer(const struct peer *peer, json_t *all)
{
	char said[PEER_SAID];
	struct peer_took took = peer_run(&(struct peer_wish){.peer = peer,
							     .lines = NOT_OURS,
							     .words = peer->hold,
							     .count = WANTED,
							     .web = WEB_KEEP,
							     .said = said});

	if (took.cost.missing)
		printf("%-10s not installed: make bench-setup\n", peer->name);
	else
		tell(all, peer->name, took.status, line_of(took.said, peer->tells));
}

/* What the summary of a run says of it: as a user sees it. */
static void starve_ours(json_t *all)
{
	static const char *const tells[] = {"FAIL", "at connect()", "why:", NULL};
	char said[PEER_SAID];
	struct out out = out_memory(said, sizeof(said));
	struct place p;
	struct tape tape;
	struct result_run run = {.scenario = TEXT("bench"), .complete = true};
	struct result result = {.runs = &run, .run_count = 1, .complete = true};
	struct text rest, line;

	place_open(&p, OURS);
	place_drive(&p, &tape, NULL, NULL);
	result_of(&run, &p.plan, &tape, &p.arena);
	run.word = run.verdict.word;
	result_write_summary(&out, &result, (struct report_style){0}, p.arena);
	rest = out_written(&out);
	while (text_cut(&rest, '\n', &line))
		if (is_telling(line, tells))
			tell(all, "lastport", run.word == VERDICT_FAIL, text_trim(line));
	place_close(&p);
}

void starve_all(json_t *all)
{
	printf("\n%d connections are asked for, where there are 32 ports:\n\n%-10s %6s  %s\n",
	       WANTED, "program", "status", "says");
	for (int i = 0; i < PEERS; i++)
		starve_peer(&peers[i], all);
	starve_ours(all);
}
