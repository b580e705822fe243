#include "dice.h"

#include <stdlib.h>

#include "base/draw.h"

uint64_t dice_below(struct dice *d, uint64_t n)
{
	return draw_below(d->seed, d->stream, d->drawn++, n);
}

bool dice_percent(struct dice *d, unsigned percent)
{
	return dice_below(d, 100) < percent;
}

static struct text one_of(struct dice *d, const char *choice)
{
	struct text rest = text_of(choice), one;
	uint64_t count = 1, which;

	while (text_cut(&rest, '|', &one))
		count++;
	which = dice_below(d, count);
	rest = text_of(choice);
	for (uint64_t i = 0; i <= which; i++)
		text_cut(&rest, '|', &one);
	return one;
}

/* Digits at the front of *t, taken off it. */
static uint64_t take_number(struct text *t)
{
	size_t len = text_span(*t, "0123456789");
	uint64_t n = strtoull(t->s, NULL, 10);

	*t = text_skip(*t, len);
	return n;
}

static void write_number(struct dice *d, struct out *to, struct text *rest)
{
	unsigned long long least = take_number(rest), most, times = 1;

	*rest = text_skip(*rest, 1); /* '-' */
	most = take_number(rest);
	if (rest->len && rest->s[0] == '*') {
		*rest = text_skip(*rest, 1);
		times = take_number(rest);
	}
	out_fmt(to, "%llu", times * (least + dice_below(d, most - least + 1)));
}

void dice_write(struct dice *d, struct out *to, const char *choice)
{
	struct text rest = one_of(d, choice), head;

	while (text_cut(&rest, '#', &head)) {
		out_text(to, head);
		write_number(d, to, &rest);
	}
	out_text(to, head);
}
