/* unit.h - quantities as users write them, and back: one reader and one printer.
 *
 * Input:  "250ms", "2s", "1h"; "200/s", "30k/min"; "10k"; "128B", "4KiB"; "80%". A unit may have
 *         as many decimals as come out whole whatever they are ("1.5s"; none of a size, since
 *         0.1KiB is no number of bytes), signs and blanks it may not. A bare number where a unit is
 *         needed is refused.
 * Units:  times are nanoseconds, rates are per second, in steps of a millionth a minute, sizes
 *         bytes, shares 0 to 1.
 * Errors: readers return false and leave *out alone.
 *
 * What a printer writes, its reader reads back to the same value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ports.h"
#include "base/text.h"

enum { UNIT_PRINTED = 40 };

bool unit_read_count(struct text t, uint64_t *out); /* "32", "10k", "2M" */
bool unit_read_time(struct text t, int64_t *ns);    /* us ms s m h */
bool unit_read_rate(struct text t, double *per_s);  /* /s /min, and k M before them */
bool unit_read_size(struct text t, uint64_t *bytes);
bool unit_read_share(struct text t, double *share); /* "80%", "0.8" */

/* "32768 60999", as /proc/sys has a range of ports: of whichever blanks, and in order. */
bool unit_read_range(struct text t, struct port_range *out);

const char *unit_count(char out[UNIT_PRINTED],
		       uint64_t n); /* "28232": plain, so that it reads back */
const char *unit_time(char out[UNIT_PRINTED],
		      int64_t ns); /* the largest unit in which it is exact */
const char *unit_rate(char out[UNIT_PRINTED], double per_s);
const char *unit_size(char out[UNIT_PRINTED], uint64_t bytes);
const char *unit_share(char out[UNIT_PRINTED], double share);

/* For people, not for readers: "28,232", "0.61 s", "100 %". Rounded to what the eye can use. */
const char *unit_count_pretty(char out[UNIT_PRINTED], uint64_t n);
const char *unit_size_pretty(char out[UNIT_PRINTED], uint64_t bytes); /* "7.63 GiB" */
const char *unit_time_pretty(char out[UNIT_PRINTED], int64_t ns);
const char *unit_rate_pretty(char out[UNIT_PRINTED], double per_s);
const char *unit_share_pretty(char out[UNIT_PRINTED], double share);
const char *unit_ratio_pretty(char out[UNIT_PRINTED], double ratio); /* "1.52", "51", "1,200" */
