#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MOST = 63 };

struct text text_of(const char *z)
{
	return (struct text){z, z ? strlen(z) : 0};
}

bool text_eq(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

bool text_is(struct text a, const char *z)
{
	return text_eq(a, text_of(z));
}

bool text_starts(struct text t, struct text prefix)
{
	return t.len >= prefix.len && text_eq((struct text){t.s, prefix.len}, prefix);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct text text_trim(struct text t)
{
	while (t.len && is_blank(t.s[0]))
		t = text_skip(t, 1);
	while (t.len && is_blank(t.s[t.len - 1]))
		t.len--;
	return t;
}

struct text text_skip(struct text t, size_t n)
{
	if (n > t.len)
		n = t.len;
	return (struct text){t.s ? t.s + n : NULL, t.len - n};
}

size_t text_span(struct text t, const char *letters)
{
	size_t n = 0;

	while (n < t.len && t.s[n] && strchr(letters, t.s[n]))
		n++;
	return n;
}

bool text_cut(struct text *rest, char at, struct text *head)
{
	const char *found = rest->len ? memchr(rest->s, at, rest->len) : NULL;

	*head = *rest;
	if (!found)
		return false;
	head->len = (size_t)(found - rest->s);
	*rest = text_skip(*rest, head->len + 1);
	return true;
}

struct text text_keep(struct arena *a, struct text t)
{
	return (struct text){text_z(a, t), t.len};
}

char *text_z(struct arena *a, struct text t)
{
	char *z = arena_take(a, t.len + 1, 1);

	if (t.len)
		memcpy(z, t.s, t.len);
	z[t.len] = '\0';
	return z;
}

struct text text_format(struct arena *a, const char *format, ...)
{
	va_list args;
	char *z;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return (struct text){0};
	z = arena_take(a, (size_t)len + 1, 1);
	va_start(args, format);
	vsnprintf(z, (size_t)len + 1, format, args);
	va_end(args);
	return (struct text){z, (size_t)len};
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table, so that a swap of neighbours costs
 * one. */
unsigned text_distance(struct text a, struct text b, unsigned most)
{
	unsigned row[3][WORD_MOST + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];

	if (a.len > WORD_MOST || b.len > WORD_MOST)
		return most;
	for (unsigned j = 0; j <= b.len; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			bool same = a.s[i - 1] == b.s[j - 1];

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && a.s[i - 1] == b.s[j - 2] && a.s[i - 2] == b.s[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return least(last[b.len], most);
}

unsigned text_slip(struct text word)
{
	return word.len < 4 ? 1 : word.len < 8 ? 2 : 3;
}
