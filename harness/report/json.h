/* json.h - what the writers of result.json have in common.
 *
 * Ownership: a value is the object's or the array's once it is put there.
 * Errors:    what could not be made, for want of memory, clears *ok.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

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
