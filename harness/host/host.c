#include "host/host.h"

const struct fact host_facts[] = {
#define FACT(field, name, kind, meaning) {name, FACT_##kind, offsetof(struct host, field), meaning},
#include "words/facts.def"
};
const size_t host_facts_count = sizeof(host_facts) / sizeof(host_facts[0]);

bool host_has_counter(const struct host *host, struct text name)
{
	struct text rest = text_of(host->counters), word;
	bool more;

	if (rest.len == 0)
		return true;
	do {
		more = text_cut(&rest, ' ', &word);
		if (text_eq(word, name))
			return true;
	} while (more);
	return false;
}
