/* mistake.h - a scenario with one mistake, and what is said of it. */
#pragma once

#define HEAD "version: 1\nname: a\n" /* so a row's first line is line 3 */

struct mistake {
	const char *yaml;
	unsigned line, col;
	const char *what, *hint; /* words of them */
};

/* Is that one told, and nothing else? */
void mistake_check(const struct mistake *m);

/* And one without a mistake. */
void mistake_none(const char *yaml);

#define CHECK(rows) \
	for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
	mistake_check(&(rows)[i])

#define CHECK_FINE(rows) \
	for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
	mistake_none((rows)[i])
