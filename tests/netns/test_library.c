/* The library as users have it: each scenario's claims hold on this kernel, and so does what was
 * predicted of it. */
#include <glob.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab_help.h"
#include "suites.h"
#include "words/words.h"

enum { LINE = 8192, ALONE_MOST = 3 };

/* Of this program: lastport stands beside it, and the library two folders above. */
static const char *folder(void)
{
	static char self[PATH_MAX];

	memset(self, 0, sizeof(self));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		CU_FAIL_FATAL("no /proc/self/exe");
	return dirname(self);
}

/* Runs files of the library, and returns result.json. */
static json_t *result_of(const char *options, const char *files)
{
	char place[] = "/tmp/lastport-library-XXXXXX", line[LINE], path[64];
	json_t *root;

	CU_ASSERT_FATAL(mkdtemp(place) != NULL);
	snprintf(line, sizeof(line),
		 "%1$s/lastport run -q %3$s -o %2$s/out %1$s/../../scenarios/%4$s.yaml "
		 ">%2$s/said 2>&1",
		 folder(), place, options, files);
	CU_ASSERT(system(line) >= 0);
	snprintf(path, sizeof(path), "%s/out/result.json", place);
	root = json_load_file(path, 0, NULL);
	snprintf(line, sizeof(line), "%s cat %s/said; rm -rf %s", root ? "true ||" : "", place,
		 place);
	CU_ASSERT_EQUAL(system(line), 0);
	CU_ASSERT_FATAL(root != NULL);
	return root;
}

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* What this machine cannot run is a skip; what it is too slow for is incomplete, and so nobody's
 * claim. But a record that was lost is lastport's fault. */
static bool is_run(const json_t *run)
{
	const char *verdict = member(run, "verdict");
	bool is_slow = strcmp(verdict, "incomplete") == 0 &&
		       json_integer_value(json_object_get(run, "lost")) == 0;

	if (is_slow)
		printf("\n%s/%s: this machine was too slow for it\n", member(run, "scenario"),
		       member(run, "case"));
	return strcmp(verdict, "skip") != 0 && !is_slow;
}

static void tell(const json_t *run, const json_t *what)
{
	char *text = json_dumps(what, JSON_COMPACT);

	printf("\n%s/%s: %s: %s%s, %lld lost\n", member(run, "scenario"), member(run, "case"),
	       member(run, "verdict"), member(run, "error"), text ? text : "",
	       (long long)json_integer_value(json_object_get(run, "lost")));
	free(text);
}

static bool passes(const json_t *run)
{
	return strcmp(member(run, "verdict"), "pass") == 0;
}

static bool is_broken(const json_t *prediction)
{
	return strcmp(member(prediction, "outcome"), "broken") == 0;
}

static bool is_foretold(const json_t *run)
{
	json_t *prediction;
	size_t i;

	json_array_foreach(json_object_get(run, "predictions"), i, prediction)
	{
		if (is_broken(prediction))
			return false;
	}
	return true;
}

/* By itself, and not beside others: what came out of step, or was slow, on a machine that had too
 * much to do is kept then, and what is wrong is not. */
static bool holds_alone(const json_t *run, bool (*holds)(const json_t *run))
{
	char options[256];
	bool held = false;

	snprintf(options, sizeof(options), "--case '%s'", member(run, "case"));
	for (int i = 0; i < ALONE_MOST && !held; i++) {
		json_t *root = result_of(options, member(run, "scenario"));

		held = holds(json_array_get(json_object_get(root, "runs"), 0));
		json_decref(root);
	}
	return held;
}

static void each_scenario_keeps_its_claims(const json_t *runs)
{
	json_t *run;
	size_t i;

	json_array_foreach(runs, i, run)
	{
		if (!is_run(run) || passes(run))
			continue;
		tell(run, json_object_get(run, "expect"));
		CU_ASSERT(holds_alone(run, passes));
	}
}

/* How often each prediction was held, and whether ports run out could not be told. */
struct foresight {
	size_t told[PREDICTIONS], held[PREDICTIONS], untold;
};

static void prediction_count(struct foresight *f, const json_t *run, const json_t *prediction)
{
	int what = prediction_find(text_of(member(prediction, "name")));
	const char *outcome = member(prediction, "outcome");
	bool told = strcmp(outcome, "cannot be told") != 0;

	CU_ASSERT_FATAL(what >= 0);
	f->told[what] += told;
	f->held[what] += strcmp(outcome, "holds") == 0;
	if (what != PREDICTION_EXHAUSTED)
		return;
	f->untold += !told;
	CU_ASSERT(told || member(json_object_get(run, "plan"), "doubt")[0]);
}

/* Within its tolerance; where it cannot be told whether ports run out, why that is, and that is seldom.
 * And each is put to the test by some run, which comes to what it is about. */
static void each_prediction_holds(const json_t *runs)
{
	struct foresight f = {{0}, {0}, 0};
	json_t *run, *prediction;
	size_t i, k;

	json_array_foreach(runs, i, run)
	{
		json_array_foreach(json_object_get(run, "predictions"), k, prediction)
		{
			if (is_broken(prediction))
				tell(run, prediction);
			prediction_count(&f, run, prediction);
		}
		CU_ASSERT(is_foretold(run) || holds_alone(run, is_foretold));
	}
	for (int what = 0; what < PREDICTIONS; what++) {
		bool is_tried =
			f.held[what] > 0 || f.told[what] == 0; /* without nft no gateway is */

		if (!is_tried)
			printf("\n%s: no run comes to it\n", prediction_infos[what].name);
		CU_ASSERT(is_tried);
	}
	CU_ASSERT(f.untold * 10 < json_array_size(runs));
}

static void the_library_does_what_it_says(void)
{
	json_t *root = result_of("-j 4", "*");
	const json_t *runs = json_object_get(root, "runs");
	size_t i, count = 0;
	json_t *run;
	glob_t files;
	char pattern[PATH_MAX];

	snprintf(pattern, sizeof(pattern), "%.4000s/../../scenarios/*.yaml", folder());
	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &files), 0);
	json_array_foreach(runs, i, run) count += strcmp(member(run, "case"), "base") == 0;
	CU_ASSERT_EQUAL(count, files.gl_pathc);
	globfree(&files);
	each_scenario_keeps_its_claims(runs);
	each_prediction_holds(runs);
	json_decref(root);
}

/* All of its code is run sanitized by the other suites. */
static const char *no_library(void)
{
#ifdef __SANITIZE_ADDRESS__
	return "240 runs take five minutes sanitized: the plain build holds them";
#else
	return help_no_network();
#endif
}

static const struct test tests[] = {
	TEST_UNLESS(no_library, the_library_does_what_it_says),
	TESTS_END,
};

const struct suite suite_library = {"library", tests};
