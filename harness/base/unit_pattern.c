#include "base/unit_pattern.h"

/* A number is looked at as digits of one length, those before the point and those behind it. Between
 * two such numbers lie blocks of them: the first digits are those of a bound, then comes one of a
 * few, and any behind that. A block is an alternative. */

enum { DIGITS_MOST = 40 };

struct block {
	const char *digits;    /* of a bound */
	unsigned width, whole; /* digits in all, and before the point */
	unsigned fixed; /* as the bound has them; the next is from `from` to `to`, then any */
	char from, to;
};

typedef unsigned __int128 wide;

static void to_digits(char out[DIGITS_MOST], wide n, unsigned width)
{
	for (unsigned i = width; i > 0; i--, n /= 10)
		out[i - 1] = (char)('0' + (int)(n % 10));
	out[width] = '\0';
}

static unsigned width_of(wide n)
{
	unsigned width = 1;

	for (; n >= 10; n /= 10)
		width++;
	return width;
}

/* ---- a block ------------------------------------------------------------- */

static bool can_be_zero(const struct block *b, unsigned i)
{
	if (i < b->fixed)
		return b->digits[i] == '0';
	return i > b->fixed || b->from == '0';
}

static void put_digit(struct out *out, const struct block *b, unsigned i)
{
	if (i < b->fixed || (i == b->fixed && b->from == b->to))
		out_fmt(out, "%c", i < b->fixed ? b->digits[i] : b->from);
	else if (i == b->fixed)
		out_fmt(out, "[%c-%c]", b->from, b->to);
	else
		out_z(out, "[0-9]");
}

/* `least` to `most` of any digit. */
static void put_any(struct out *out, unsigned least, unsigned most)
{
	if (least == 1 && most == 1)
		out_z(out, "[0-9]");
	else if (most > 0)
		out_fmt(out, least == most ? "[0-9]{%u}" : "[0-9]{%u,%u}", least, most);
}

/* Before the point, where zeros at the front may be more, or fewer. */
static void put_whole(struct out *out, const struct block *b)
{
	unsigned i = 0;

	out_z(out, "0*");
	while (i + 1 < b->whole && i < b->fixed && b->digits[i] == '0')
		i++;
	if (i == b->fixed && i + 1 < b->whole && b->from == '0') {
		put_digit(out, b, i);
		out_z(out, "?");
		put_any(out, 1, b->whole - i - 1);
		return;
	}
	for (; i < b->whole && i <= b->fixed; i++)
		put_digit(out, b, i);
	put_any(out, b->whole - i, b->whole - i);
}

static bool is_zeros(const struct block *b, unsigned i)
{
	for (; i < b->width; i++)
		if (i >= b->fixed || b->digits[i] != '0')
			return false;
	return true;
}

/* The digits from the i-th on, each of which can be 0, and so be left out with those behind it. */
static void put_optional(struct out *out, const struct block *b, unsigned i)
{
	unsigned open = 0;

	for (; i <= b->fixed && i < b->width && !is_zeros(b, i); i++, open++) {
		out_z(out, "(");
		put_digit(out, b, i);
	}
	if (i > b->fixed)
		put_any(out, 0, b->width - i);
	for (; open > 0; open--)
		out_z(out, ")?");
}

/* Behind it, where zeros at the end may be more, or fewer, and the point with them. */
static void put_fraction(struct out *out, const struct block *b)
{
	unsigned needed = b->width, i = b->whole;
	bool optional;

	while (needed > b->whole && can_be_zero(b, needed - 1))
		needed--;
	optional = needed == b->whole;
	if (b->width == b->whole) {
		out_z(out, "([.]0+)?");
		return;
	}
	out_z(out, optional ? "([.]" : "[.]");
	needed += optional;
	for (; i < needed && i <= b->fixed; i++)
		put_digit(out, b, i);
	put_any(out, needed - i, needed - i);
	put_optional(out, b, needed);
	out_z(out, optional ? "0*)?" : "0*");
}

/* ---- all blocks between two numbers -------------------------------------- */

struct listing {
	struct out *out;
	unsigned width, whole, count;
};

static void put_block(struct listing *l, const char *digits, unsigned fixed, char from, char to)
{
	struct block b = {digits, l->width, l->whole, fixed, from, to};

	if (from > to)
		return;
	out_z(l->out, l->count++ ? "|" : "");
	put_whole(l->out, &b);
	put_fraction(l->out, &b);
}

static unsigned first_other(const char *digits, unsigned from, unsigned width, char than)
{
	while (from < width && digits[from] == than)
		from++;
	return from;
}

/* Those that share their first `same` digits with both bounds: what is from the lower one up, what
 * lies between, and what is up to the higher one. A bound whose other digits are the least, or the
 * most, there can be goes with what lies between. */
static void put_between(struct listing *l, const char *low, const char *high, unsigned same)
{
	unsigned width = l->width;
	bool with_low = first_other(low, same + 1, width, '0') == width,
	     with_high = first_other(high, same + 1, width, '9') == width;

	if (!with_low) {
		put_block(l, low, width, '0', '0');
		for (unsigned i = width - 1; i > same; i--)
			put_block(l, low, i, (char)(low[i] + 1), '9');
	}
	put_block(l, low, same, (char)(low[same] + !with_low), (char)(high[same] - !with_high));
	if (!with_high) {
		for (unsigned i = same + 1; i < width; i++)
			put_block(l, high, i, '0', (char)(high[i] - 1));
		put_block(l, high, width, '0', '0');
	}
}

/* From `low` to `high` of 10^-decimals. */
static void put_numbers(struct out *out, wide low, wide high, unsigned decimals)
{
	char from[DIGITS_MOST], to[DIGITS_MOST];
	unsigned width = width_of(high), same = 0;
	struct listing l = {.out = out};

	width = width > decimals ? width : decimals + 1;
	l.width = width;
	l.whole = width - decimals;
	to_digits(from, low, width);
	to_digits(to, high, width);
	while (same < width && from[same] == to[same])
		same++;
	if (same == width)
		put_block(&l, from, width, '0', '0');
	else
		put_between(&l, from, to, same);
}

static wide power_of_ten(unsigned n)
{
	wide power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

/* Bounds and worths in one unit, whatever it is. */
static bool put_unit(struct out *out, const struct unit *u, uint64_t lowest, uint64_t highest,
		     bool first)
{
	wide scale = power_of_ten(u->decimals), low = (lowest * scale + u->worth - 1) / u->worth,
	     high = highest * scale / u->worth;

	if (low > high)
		return false;
	out_z(out, first ? "(" : "|(");
	put_numbers(out, low, high, u->decimals);
	out_fmt(out, ")%s", u->name);
	return true;
}

void unit_pattern(struct out *out, const struct unit *units, uint64_t lowest, uint64_t highest)
{
	bool first = true;

	for (const struct unit *u = units; u->name; u++)
		first = !put_unit(out, u, lowest, highest, first) && first;
}

/* A share is divided by what others are worth: in steps of 10^-14, of which 1 % is 10^12. */
void unit_pattern_share(struct out *out, double lowest, double highest)
{
	static const struct unit steps[] = {
		{"%", 1000000000000, 12}, {"", 100000000000000, 14}, {NULL, 0, 0}};
	double whole = (double)steps[1].worth;

	unit_pattern(out, steps, (uint64_t)(lowest * whole + 0.5),
		     (uint64_t)(highest * whole + 0.5));
}
