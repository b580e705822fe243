#include <sched.h>

#include "lab_help.h"
#include "suites.h"
#include "untouched.h"

int main(int argc, char **argv)
{
	const struct suite suites[] = {
#define SUITE(name) suite_##name,
		SUITES(SUITE)
#undef SUITE
	};

	/* Were a door or a lab to write where it was started, that would be here, and not the
	 * machine's own network. Without the right to this there is none to harm the machine
	 * either. */
	unshare(CLONE_NEWNET);
	help_begin();
	return suites_run("netns", suites, sizeof(suites) / sizeof(suites[0]), argv + (argc > 0),
			  machine_remember, machine_compare);
}
