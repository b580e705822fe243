/* watch_tell.h - what a look at somebody else's load says, in words: the range, what cannot be known
 * or seen row by row, and the fullest destinations.
 *
 * Input:  a watch that has looked.
 * Output: a block of lines; names of processes are escaped already.
 */
#pragma once

#include "base/out.h"
#include "watch/watch.h"

void watch_tell(struct out *out, const struct watch *w);
