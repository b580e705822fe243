#include "base/unit.h"

#include <stdio.h>
#include <string.h>

/* A unit is worth `worth` of the base unit. That of rates is a millionth a minute, in which
 * both 0.01/s and 1/min are whole: so reading, arithmetic and printing are exact. */
struct unit {
	const char *name;
	uint64_t worth;
};

#define PER_MIN 1000000ull
#define PER_S (60 * PER_MIN)
#define RATE_MOST (1ull << 53)

/* Largest first: a printer takes the first in which the value is whole. */
static const struct unit times[] = {{"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
				    {"ms", 1000000},	  {"us", 1000},	      {NULL, 0}};
static const struct unit rates[] = {{"M/s", PER_S * 1000000},
				    {"k/s", PER_S * 1000},
				    {"/s", PER_S},
				    {"M/min", PER_MIN * 1000000},
				    {"k/min", PER_MIN * 1000},
				    {"/min", PER_MIN},
				    {NULL, 0}};
static const struct unit sizes[] = {
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {NULL, 0}};
static const struct unit counts[] = {{"M", 1000000}, {"k", 1000}, {"", 1}, {NULL, 0}};
static const struct unit shares[] = {{"%", 100}, {"", 1}, {NULL, 0}}; /* what it is divided by */

enum { DIGITS_MOST = 15 }; /* of a number: what a double holds exactly */

/* A decimal as it was written: digits / scale. */
struct decimal {
	uint64_t digits, scale;
};

/* Digits with at most one point among them, not first or last. */
static bool read_decimal(struct text t, struct decimal *out)
{
	*out = (struct decimal){0, 0};
	if (t.len == 0 || t.len > DIGITS_MOST + 1 || t.s[0] == '.' || t.s[t.len - 1] == '.')
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] == '.' && out->scale == 0) {
			out->scale = 1;
			continue;
		}
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		out->digits = out->digits * 10 + (uint64_t)(t.s[i] - '0');
		out->scale *= 10;
	}
	out->scale += out->scale == 0;
	return true;
}

static bool read_unit(struct text t, const struct unit *units, struct decimal *out, uint64_t *worth)
{
	size_t n = 0;

	while (n < t.len && ((t.s[n] >= '0' && t.s[n] <= '9') || t.s[n] == '.'))
		n++;
	if (!read_decimal((struct text){t.s, n}, out))
		return false;
	for (const struct unit *u = units; u->name; u++) {
		if (text_is(text_skip(t, n), u->name)) {
			*worth = u->worth;
			return true;
		}
	}
	return false;
}

/* What is whole must come out whole: "1.5s" is a time, "1.5" is no count. */
static bool read_whole(struct text t, const struct unit *units, uint64_t most, uint64_t *out)
{
	struct decimal d;
	uint64_t worth;
	unsigned __int128 n;

	if (!read_unit(t, units, &d, &worth))
		return false;
	n = (unsigned __int128)d.digits * worth;
	if (n % d.scale != 0 || n / d.scale > most)
		return false;
	*out = (uint64_t)(n / d.scale);
	return true;
}

bool unit_read_count(struct text t, uint64_t *out)
{
	return read_whole(t, counts, 1000000000000000, out);
}

bool unit_read_time(struct text t, int64_t *ns)
{
	uint64_t n;

	if (!read_whole(t, times, 1000000000000000000, &n))
		return false;
	*ns = (int64_t)n;
	return true;
}

bool unit_read_rate(struct text t, double *per_s)
{
	uint64_t n;

	if (!read_whole(t, rates, RATE_MOST, &n))
		return false;
	*per_s = (double)n / (double)PER_S;
	return true;
}

bool unit_read_size(struct text t, uint64_t *bytes)
{
	return read_whole(t, sizes, 1000000000000000, bytes);
}

bool unit_read_share(struct text t, double *share)
{
	struct decimal d;
	uint64_t worth;

	if (!read_unit(t, shares, &d, &worth))
		return false;
	*share = (double)d.digits / ((double)d.scale * (double)worth);
	return true;
}

const char *unit_count(char out[UNIT_PRINTED], uint64_t n)
{
	snprintf(out, UNIT_PRINTED, "%llu", (unsigned long long)n);
	return out;
}

static const char *print_whole(char out[UNIT_PRINTED], uint64_t n, const struct unit *units)
{
	const struct unit *u = units;

	while (u[1].name && (n == 0 || n % u->worth != 0))
		u++;
	snprintf(out, UNIT_PRINTED, "%llu%s", (unsigned long long)(n / u->worth), u->name);
	return out;
}

/* n / scale with as many decimals as it has, then the unit. */
static const char *print_decimal(char out[UNIT_PRINTED], uint64_t n, uint64_t scale,
				 const char *unit)
{
	char decimals[UNIT_PRINTED] = "";
	size_t len;

	if (n % scale)
		snprintf(decimals, sizeof(decimals), "%llu", (unsigned long long)scale + n % scale);
	for (len = strlen(decimals); len > 1 && decimals[len - 1] == '0'; len--)
		decimals[len - 1] = '\0';
	decimals[0] = n % scale ? '.' : '\0';
	snprintf(out, UNIT_PRINTED, "%llu%.15s%s", (unsigned long long)(n / scale), decimals, unit);
	return out;
}

const char *unit_time(char out[UNIT_PRINTED], int64_t ns)
{
	if (ns == 0)
		return strcpy(out, "0s");
	if (ns % 1000 == 0)
		return print_whole(out, (uint64_t)ns, times);
	return print_decimal(out, (uint64_t)ns, 1000, "us");
}

const char *unit_rate(char out[UNIT_PRINTED], double per_s)
{
	double most = (double)RATE_MOST / (double)PER_S;
	uint64_t n = (uint64_t)((per_s < most ? per_s : most) * (double)PER_S + 0.5);

	if (n % 60 == 0)
		return print_decimal(out, n / 60, PER_MIN, "/s");
	return print_decimal(out, n, PER_MIN, "/min");
}

const char *unit_size(char out[UNIT_PRINTED], uint64_t bytes)
{
	return print_whole(out, bytes, sizes);
}

const char *unit_share(char out[UNIT_PRINTED], double share)
{
	snprintf(out, UNIT_PRINTED, "%.15g%%", share * 100);
	return out;
}

const char *unit_size_pretty(char out[UNIT_PRINTED], uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB"};
	double n = (double)bytes;
	size_t i = 0;

	for (; n >= 1024 && i + 1 < sizeof(names) / sizeof(names[0]); i++)
		n /= 1024;
	snprintf(out, UNIT_PRINTED, "%.*f %s",
		 i == 0	   ? 0
		 : n < 10  ? 2
		 : n < 100 ? 1
			   : 0,
		 n, names[i]);
	return out;
}

const char *unit_count_pretty(char out[UNIT_PRINTED], uint64_t n)
{
	char plain[UNIT_PRINTED];
	size_t len, o = 0;

	len = strlen(unit_count(plain, n));
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = plain[i];
	}
	out[o] = '\0';
	return out;
}

const char *unit_time_pretty(char out[UNIT_PRINTED], int64_t ns)
{
	double s = (double)ns / 1e9;

	if (s < 1e-3)
		snprintf(out, UNIT_PRINTED, "%.3g us", s * 1e6);
	else if (s < 0.1)
		snprintf(out, UNIT_PRINTED, "%.3g ms", s * 1e3);
	else if (s < 600)
		snprintf(out, UNIT_PRINTED, "%.3g s", s);
	else if (s < 600 * 60)
		snprintf(out, UNIT_PRINTED, "%.3g min", s / 60);
	else if (s < 100 * 3600)
		snprintf(out, UNIT_PRINTED, "%.3g h", s / 3600);
	else
		snprintf(out, UNIT_PRINTED, "%.3g days", s / 86400);
	return out;
}

const char *unit_rate_pretty(char out[UNIT_PRINTED], double per_s)
{
	char n[UNIT_PRINTED];

	if (per_s < 100)
		snprintf(out, UNIT_PRINTED, "%.3g/s", per_s);
	else
		snprintf(out, UNIT_PRINTED, "%.30s/s",
			 unit_count_pretty(n, (uint64_t)(per_s + 0.5)));
	return out;
}

/* Nothing short of the whole is "100 %". */
const char *unit_share_pretty(char out[UNIT_PRINTED], double share)
{
	double percent = share * 100;

	if (percent > 99.9 && percent < 100)
		percent = 99.9;
	snprintf(out, UNIT_PRINTED, "%.3g %%", percent);
	return out;
}

const char *unit_ratio_pretty(char out[UNIT_PRINTED], double ratio)
{
	if (ratio >= 100)
		return unit_count_pretty(out, (uint64_t)(ratio + 0.5));
	snprintf(out, UNIT_PRINTED, "%.3g", ratio);
	return out;
}
