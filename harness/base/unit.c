#include "base/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/unit_table.h"

/* The smallest unit of rates is a millionth a minute, in which both 0.01/s and 1/min are whole: so
 * reading, arithmetic and printing are exact. */
#define PER_MIN 1000000ull
#define PER_S (60 * PER_MIN)
#define RATE_MOST (1ull << 53)
#define COUNT_MOST 1000000000000000ull
#define TIME_MOST 1000000000000000000ull

const struct unit unit_times[] = {{"h", 3600000000000, 11}, {"m", 60000000000, 10},
				  {"s", 1000000000, 9},	    {"ms", 1000000, 6},
				  {"us", 1000, 3},	    {NULL, 0, 0}};
const struct unit unit_millis[] = {{"h", 3600000000000, 5},
				   {"m", 60000000000, 4},
				   {"s", 1000000000, 3},
				   {"ms", 1000000, 0},
				   {NULL, 0, 0}};
const struct unit unit_seconds[] = {
	{"h", 3600000000000, 0}, {"m", 60000000000, 0}, {"s", 1000000000, 0}, {NULL, 0, 0}};
const struct unit unit_rates[] = {{"M/s", PER_S * 1000000, 13},
				  {"k/s", PER_S * 1000, 10},
				  {"/s", PER_S, 7},
				  {"M/min", PER_MIN * 1000000, 12},
				  {"k/min", PER_MIN * 1000, 9},
				  {"/min", PER_MIN, 6},
				  {NULL, 0, 0}};
const struct unit unit_sizes[] = {
	{"GiB", 1 << 30, 0}, {"MiB", 1 << 20, 0}, {"KiB", 1 << 10, 0}, {"B", 1, 0}, {NULL, 0, 0}};
const struct unit unit_ones[] = {{"", 1, 0}, {NULL, 0, 0}};
const struct unit unit_counts[] = {{"M", 1000000, 6}, {"k", 1000, 3}, {"", 1, 0}, {NULL, 0, 0}};
const struct unit unit_shares[] = {{"%", 100, 12}, {"", 1, 14}, {NULL, 0, 0}};

enum { DIGITS_MOST = 15 }; /* of a number: what a double holds exactly */

/* A decimal as it was written: digits / scale. */
struct decimal {
	uint64_t digits, scale;
	unsigned decimals;
};

static bool add_digits(struct text t, uint64_t *digits)
{
	static const uint64_t most = 999999999999999; /* DIGITS_MOST nines */

	for (size_t i = 0; i < t.len && *digits <= most; i++)
		*digits = *digits * 10 + (uint64_t)(t.s[i] - '0');
	return *digits <= most;
}

static bool is_digits(struct text t)
{
	return t.len > 0 && text_span(t, "0123456789") == t.len;
}

/* Digits with at most one point among them, not first or last. Zeros that say nothing, before the
 * others and behind the point's, do not count. */
static bool read_decimal(struct text t, struct decimal *out)
{
	struct text fraction = t, whole;
	bool has_point = text_cut(&fraction, '.', &whole);

	if (!is_digits(whole) || (has_point && !is_digits(fraction)))
		return false;
	fraction.len = has_point ? fraction.len : 0;
	while (fraction.len && fraction.s[fraction.len - 1] == '0')
		fraction.len--;
	if (fraction.len > DIGITS_MOST)
		return false;
	*out = (struct decimal){.scale = 1, .decimals = (unsigned)fraction.len};
	for (unsigned i = 0; i < out->decimals; i++)
		out->scale *= 10;
	return add_digits(whole, &out->digits) && add_digits(fraction, &out->digits);
}

/* The unit that the text has, and its number; NULL where it is no such text. */
static const struct unit *read_unit(struct text t, const struct unit *units, struct decimal *out)
{
	size_t n = text_span(t, "0123456789.");

	if (!read_decimal((struct text){t.s, n}, out))
		return NULL;
	for (const struct unit *u = units; u->name; u++)
		if (text_is(text_skip(t, n), u->name))
			return out->decimals <= u->decimals ? u : NULL;
	return NULL;
}

/* No unit has more decimals than make it whole: "1.5s" is a time, "1.5" is no count. */
static bool read_whole(struct text t, const struct unit *units, uint64_t most, uint64_t *out)
{
	struct decimal d;
	const struct unit *u = read_unit(t, units, &d);
	unsigned __int128 n;

	if (!u)
		return false;
	n = (unsigned __int128)d.digits * u->worth / d.scale;
	if (n > most)
		return false;
	*out = (uint64_t)n;
	return true;
}

bool unit_read(struct text t, const struct unit *units, uint64_t *out)
{
	return read_whole(t, units, TIME_MOST, out);
}

bool unit_read_range(struct text t, struct port_range *out)
{
	struct text rest = text_trim(t), low = {rest.s, text_span(rest, "0123456789")};
	struct text high = text_trim(text_skip(rest, low.len));
	uint64_t lo, hi;

	if (!is_digits(high) || !unit_read_count(low, &lo) || !unit_read_count(high, &hi) ||
	    lo > hi || hi > UINT16_MAX)
		return false;
	*out = (struct port_range){(uint16_t)lo, (uint16_t)hi};
	return true;
}

bool unit_read_count(struct text t, uint64_t *out)
{
	return read_whole(t, unit_counts, COUNT_MOST, out);
}

bool unit_read_time(struct text t, int64_t *ns)
{
	uint64_t n;

	if (!read_whole(t, unit_times, TIME_MOST, &n))
		return false;
	*ns = (int64_t)n;
	return true;
}

bool unit_read_rate(struct text t, double *per_s)
{
	uint64_t n;

	if (!read_whole(t, unit_rates, RATE_MOST, &n))
		return false;
	*per_s = (double)n / (double)PER_S;
	return true;
}

bool unit_read_size(struct text t, uint64_t *bytes)
{
	return read_whole(t, unit_sizes, COUNT_MOST, bytes);
}

bool unit_read_share(struct text t, double *share)
{
	struct decimal d;
	const struct unit *u = read_unit(t, unit_shares, &d);

	if (!u)
		return false;
	*share = (double)d.digits / ((double)d.scale * (double)u->worth);
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
		return print_whole(out, (uint64_t)ns, unit_times);
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
	return print_whole(out, bytes, unit_sizes);
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
