#include "judge/say.h"

#include "base/unit.h"

const char *say_count(struct arena *a, uint64_t n)
{
	return unit_count_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), n);
}

const char *say_number_of(struct arena *a, uint64_t n, const char *one, const char *many)
{
	return text_format(a, "%s %s", say_count(a, n), say_either(n, one, many)).s;
}

const char *say_either(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

const char *say_time(struct arena *a, int64_t ns)
{
	return unit_time_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), ns);
}

const char *say_rate(struct arena *a, double per_s)
{
	return unit_rate_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), per_s);
}

const char *say_times(struct arena *a, double ratio)
{
	if (ratio < 10)
		return text_format(a, "%.2g times", ratio).s;
	return text_format(a, "%s times", say_count(a, (uint64_t)(ratio + 0.5))).s;
}

const char *say_measure(struct arena *a, enum measure_kind kind, double n)
{
	char *text = ARENA_ARRAY(a, char, UNIT_PRINTED);

	switch (kind) {
	case KIND_COUNT:
		return unit_count_pretty(text, n > 0 ? (uint64_t)n : 0);
	case KIND_SHARE:
		return unit_share_pretty(text, n);
	case KIND_TIME:
		return unit_time_pretty(text, (int64_t)n);
	case KIND_RATE:
		return unit_rate_pretty(text, n);
	case KIND_RATIO:
		return unit_ratio_pretty(text, n);
	case KIND_FLAG:
		break;
	}
	return n != 0 ? "true" : "false";
}
