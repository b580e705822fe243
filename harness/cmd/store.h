/* store.h - the directory that a run leaves its results in: result.json, samples.jsonl,
 * events.jsonl.
 *
 * From the first moment there is a result.json that says complete: false; the last is put in
 * its place whole (temporary file, fsync, rename), so that no reader ever sees half of one.
 *
 * Ownership: store_close() closes the descriptors.
 * Errors:    ERR_USAGE for a directory that holds results already, ERR_SYS for what the file
 *            system refuses.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "report/result.h"

struct store {
	const char *path;
	int directory, samples, events;
};

/* `wanted` NULL: results/runs/STAMP-NAME, made anew. */
bool store_open(struct store *out, const char *wanted, struct text name, struct arena *,
		struct err *);
bool store_result(const struct store *s, const struct result *r, struct err *);
void store_close(struct store *s);
