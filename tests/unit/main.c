#include "suites.h"

/* The suites are other files' constants, which C cannot put into a constant table: so they are
 * copied here. */
int main(int argc, char **argv)
{
	const struct suite suites[] = {
#define SUITE(name) suite_##name,
		SUITES(SUITE)
#undef SUITE
	};

	return suites_run("unit", suites, sizeof(suites) / sizeof(suites[0]), argv + (argc > 0),
			  NULL, NULL);
}
