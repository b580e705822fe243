/* host.h - the facts of a host, as a value: what lastport may count on here.
 *
 * Input:  filled by sys/facts.c from the kernel, or by a test or a stored result.
 * Units:  words/facts.def says them. Nothing here is read anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ports.h"
#include "base/text.h"
#include "words/words.h"

enum { HOST_WORD = 72 };

typedef char host_word[HOST_WORD];

struct host {
#undef FIELD_COUNT /* scenario.h names its kinds so too */
#undef FIELD_SIZE
#define FIELD_COUNT int64_t
#define FIELD_SIZE int64_t
#define FIELD_ERRNO int
#define FIELD_WORD host_word
#define FIELD_RANGE struct port_range
#define FACT(field, name, kind, meaning) FIELD_##kind field;
#include "words/facts.def"
#undef FIELD_COUNT
#undef FIELD_SIZE
#undef FIELD_ERRNO
#undef FIELD_WORD
#undef FIELD_RANGE
	/* The Tcp and TcpExt counters this kernel has, blanks between them; empty: unknown. For
	 * `counter.NAME`. */
	char counters[8192];
};

enum fact_kind { FACT_COUNT, FACT_SIZE, FACT_ERRNO, FACT_WORD, FACT_RANGE };

/* A row a fact, for whoever walks them all: reports, results, doctor. */
struct fact {
	const char *name;
	enum fact_kind kind;
	size_t offset; /* of the field in struct host */
	const char *meaning;
};

extern const struct fact host_facts[];
extern const size_t host_facts_count;

bool host_has_counter(const struct host *host,
		      struct text name); /* true if the counters are unknown */

/* Why io_uring could not be set up, by its errno value, and what mends it: words, and a
 * sentence. */
const char *host_io_uring_cause(int error);
const char *host_io_uring_mend(int error);
