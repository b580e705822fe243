/* draw.h - numbers that look random and are the same for the same seed.
 *
 * The i-th number of a stream is a function of seed, stream and i alone: so what is drawn for the
 * i-th connection does not depend on what else was drawn, or on when.
 *
 * Errors: none; pure.
 * Source: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
 */
#pragma once

#include <stdint.h>

uint64_t draw(uint64_t seed, uint64_t stream, uint64_t i);

/* Below n, which is not 0; each as likely as the others but for n / 2^64. */
uint64_t draw_below(uint64_t seed, uint64_t stream, uint64_t i, uint64_t n);

double draw_share(uint64_t seed, uint64_t stream, uint64_t i); /* 0 to below 1 */
