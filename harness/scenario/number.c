#include "scenario/keys.h"

#include "base/unit.h"

/* Values that are a number, most of them with a unit. */

static bool read_number(const struct reading *r, const struct key *key, const struct node *n,
			double *out)
{
	double lowest, highest;

	if (!key->kind->number(n->text, out) || !key->kind->number(text_of(key->lowest), &lowest) ||
	    !key->kind->number(text_of(key->highest), &highest) || *out < lowest || *out > highest)
		return key_refuse(r, key, n);
	return true;
}

static bool number_count(struct text t, double *out)
{
	uint64_t n;

	if (!unit_read_count(t, &n))
		return false;
	*out = (double)n; /* exact: counts are read up to 1e15 */
	return true;
}

static bool number_time(struct text t, double *out)
{
	int64_t ns;

	if (!unit_read_time(t, &ns))
		return false;
	*out = (double)ns;
	return true;
}

static bool read_count(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	double value;

	if (!read_number(r, key, n, &value))
		return false;
	*(uint64_t *)field = (uint64_t)value;
	return true;
}

static bool read_time(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	double value;

	if (!read_number(r, key, n, &value))
		return false;
	*(int64_t *)field = (int64_t)value;
	return true;
}

static bool read_rate(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	double value;

	if (!read_number(r, key, n, &value))
		return false;
	*(double *)field = value;
	return true;
}

static bool number_seconds(struct text t, double *out)
{
	uint64_t ns;

	if (!unit_read(t, unit_seconds, &ns))
		return false;
	*out = (double)ns; /* exact: bounds are far below 2^53 */
	return true;
}

/* What the kernel counts in milliseconds. */
static bool number_millis(struct text t, double *out)
{
	uint64_t ns;

	if (!unit_read(t, unit_millis, &ns))
		return false;
	*out = (double)ns;
	return true;
}

static bool number_linger(struct text t, double *out)
{
	if (!text_is(t, "none"))
		return number_seconds(t, out);
	*out = LINGER_NONE;
	return true;
}

static bool number_size(struct text t, double *out)
{
	uint64_t bytes;

	if (!unit_read_size(t, &bytes))
		return false;
	*out = (double)bytes; /* exact: bounds are far below 2^53 */
	return true;
}

static bool read_share(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	return read_number(r, key, n, field);
}

static void write_count(struct out *out, const void *field)
{
	char z[UNIT_PRINTED];

	out_z(out, unit_count(z, *(const uint64_t *)field));
}

static void write_time(struct out *out, const void *field)
{
	char z[UNIT_PRINTED];

	out_z(out, unit_time(z, *(const int64_t *)field));
}

static void write_linger(struct out *out, const void *field)
{
	if (*(const int64_t *)field == LINGER_NONE)
		out_z(out, "none");
	else
		write_time(out, field);
}

static void write_rate(struct out *out, const void *field)
{
	char z[UNIT_PRINTED];

	out_z(out, unit_rate(z, *(const double *)field));
}

static void write_size(struct out *out, const void *field)
{
	char z[UNIT_PRINTED];

	out_z(out, unit_size(z, *(const uint64_t *)field));
}

static void write_share(struct out *out, const void *field)
{
	char z[UNIT_PRINTED];

	out_z(out, unit_share(z, *(const double *)field));
}

#define NUMBER(name, words, reader, table) \
	const struct kind kind_##name = {.form = words, \
					 .read = read_##reader, \
					 .write = write_##reader, \
					 .number = number_##reader, \
					 .units = unit_##table}
#define number_rate unit_read_rate
#define number_share unit_read_share
#define read_size read_count   /* both are uint64_t */
#define read_seconds read_time /* all are int64_t */
#define read_linger read_time
#define read_millis read_time
#define write_seconds write_time
#define write_millis write_time

NUMBER(COUNT, "a whole number such as 32 or 10k", count, counts);
NUMBER(TIME, "a time such as 250ms or 2s", time, times);
NUMBER(MILLIS, "a time in whole milliseconds such as 250ms or 2s", millis, millis);
NUMBER(SECONDS, "a time in whole seconds such as 5s or 1m", seconds, seconds);
NUMBER(LINGER, "none, or a time in whole seconds such as 0s", linger, seconds);
NUMBER(RATE, "a rate such as 200/s or 30k/min", rate, rates);
NUMBER(SIZE, "a size such as 128B or 64KiB", size, sizes);
NUMBER(SHARE, "a share such as 80% or 0.8", share, shares);
