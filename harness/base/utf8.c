#include "base/utf8.h"

struct points {
	int32_t first, last;
};

/* Unicode 15, general categories Cc, Cf, Zl, Zp. */
static const struct points hostile[] = {
	{0x00, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},     {0x61c, 0x61c},	{0x200b, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfffe, 0xffff}, {0xe0000, 0xe007f},
};
static const struct points combining[] = {
	{0x300, 0x36f}, {0x200c, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
/* The blocks of East_Asian_Width W and F, rounded to whole blocks. */
static const struct points wide[] = {
	{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
	{0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
	{0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

#define IS_IN(list, point) is_in((list), sizeof(list) / sizeof((list)[0]), (point))

static bool is_in(const struct points *list, size_t n, int32_t point)
{
	for (size_t i = 0; i < n; i++)
		if (point >= list[i].first && point <= list[i].last)
			return true;
	return false;
}

int32_t utf8_first(struct text t, size_t *len)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)t.s[0];
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
	int32_t point;

	*len = 1;
	if (n == 0 || n > t.len)
		return -1;
	point = n == 1 ? c : c & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char next = (unsigned char)t.s[i];

		if (next >> 6 != 2)
			return -1;
		point = point << 6 | (next & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*len = n;
	return point;
}

bool utf8_is_hostile(int32_t point)
{
	if (point >= 0x20 && point < 0x7f)
		return false;
	return IS_IN(hostile, point);
}

unsigned utf8_width(int32_t point)
{
	if (point < 0x300)
		return 1;
	return IS_IN(combining, point) ? 0 : IS_IN(wide, point) ? 2 : 1;
}
