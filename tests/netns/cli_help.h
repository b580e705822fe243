/* cli_help.h - lastport as a program of its own, which stands beside this one: in a directory that is
 * gone afterwards, with what it wrote to read.
 */
#pragma once

#include <jansson.h>

#include "lab_help.h"

/* A directory of its own for a test, with in.yaml; the test is in it until place_leave(). */
struct place {
	char path[64];
	int back;
};

struct place place_enter(const char *scenario);
void place_leave(struct place *p);

struct child {
	pid_t pid;
	void (*prepare)(void);
};

/* What it writes goes to `out` and `err` of the place. `args` ends with NULL. */
void spawn(struct child *c, const char *const *args);
int child_status(struct child *c); /* waits for it; 128 + signal, as a shell has it */
int run_args(void (*prepare)(void), const char *const *args); /* both */

#define RUN(...) run_args(NULL, (const char *const[]){__VA_ARGS__, NULL})

const char *held(const char *path); /* a file of the place, until the next */
json_t *loaded(const char *path);
json_t *first_run(json_t *root);
bool is_true(json_t *object, const char *key);
bool is_word(json_t *object, const char *key, const char *word);
