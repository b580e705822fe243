/* usage.h - how ports are used towards one destination, as JSON and back: in samples.jsonl and
 * in result.json.
 *
 * Units:  counts, but for the times until TIME_WAIT ends: each file has its own unit for times,
 *         and writes and reads those itself.
 * Errors: usage_of_json() says what is wrong with what comes from outside; NULL: nothing.
 * Source: results/README.md documents every field.
 */
#pragma once

#include "tape/tape.h"

/* On jansson's heap; NULL if there is none left. */
struct json_t *usage_json(const struct usage *u);
const char *usage_of_json(struct json_t *from, struct usage *out);

/* Sockets by state; those without any are absent. */
struct json_t *states_json(const uint32_t states[STATES]);
