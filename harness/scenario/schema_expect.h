/* schema_expect.h - the lines of expect, for the schema: a pattern made of the list of measures.
 *
 * Output: the definitions "line" and "expect", without a comma behind them.
 */
#pragma once

#include "base/out.h"

void schema_expect(struct out *out);
