#include <sched.h>

#include "lab_help.h"
#include "suites.h"
#include "untouched.h"

int main(void)
{
	const struct suite suites[] = {
		suite_lab,     suite_nat,    suite_rights,   suite_facts, suite_sense, suite_drive,
		suite_sockets, suite_family, suite_timewait, suite_watch, suite_cli,
	};

	/* Were a door or a lab to write where it was started, that would be here, and not the
	 * machine's own network. Without the right to this there is none to harm the machine
	 * either. */
	unshare(CLONE_NEWNET);
	help_begin();
	return suites_run("netns", suites, sizeof(suites) / sizeof(suites[0]), machine_remember,
			  machine_compare);
}
