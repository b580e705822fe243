/* schema.h - the language of scenario files as a JSON Schema (draft-07), for editors.
 *
 * Input:  words/keys.def and the other lists; a new key is in it by itself.
 * Output: what an editor sees of a file, so: YAML's numbers and words, or the same in quotes. It
 *         knows less than scenario_read(): nothing of keys that exclude each other, of bounds on
 *         quantities with a unit, or of how a number was written (tests/schema/exceptions).
 */
#pragma once

#include "base/out.h"

void scenario_schema(struct out *out);
