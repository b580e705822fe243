/* svg.h - connect latency against how full the range was, as a picture.
 *
 * Each run with timed connects is a line of medians over the twentieths of the range, shaded up to
 * the 90th percentile, and a cross at the right for connects that found no port. It steps at half
 * full, where the kernel goes on to the ports of the other parity.
 *
 * Output: one SVG 1.1 document; what comes out of a file is escaped for terminals and for XML.
 * Errors: false, and nothing is written, where no connect of any run was timed.
 */
#pragma once

#include "base/out.h"
#include "report/result.h"

bool result_write_svg(struct out *out, const struct result *r, struct arena scratch);
