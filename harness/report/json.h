/* json.h - what the writers of result.json have in common.
 *
 * Ownership: a value is the object's or the array's once it is put there.
 * Errors:    what could not be made, for want of memory, clears *ok.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/ports.h"
#include "base/text.h"

static inline void put(json_t *object, const char *key, json_t *value, bool *ok)
{
	if (json_object_set_new(object, key, value) < 0)
		*ok = false;
}

static inline void append(json_t *array, json_t *value, bool *ok)
{
	if (json_array_append_new(array, value) < 0)
		*ok = false;
}

/* JSON is UTF-8. Text that is not is stored as a terminal would show it, with \xNN for what is
 * broken. */
json_t *json_text(struct text t);

static inline json_t *json_count(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static inline json_t *json_seconds(double ns)
{
	return json_real(ns / 1e9);
}

static inline json_t *json_range(struct port_range range)
{
	return json_sprintf("%u-%u", range.lo, range.hi);
}
