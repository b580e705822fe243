#include "lab_help.h"
#include "suites.h"
#include "untouched.h"

int main(void)
{
	const struct suite suites[] = {
		suite_lab,   suite_rights, suite_facts, suite_sense,
		suite_drive, suite_watch,  suite_cli,
	};

	help_begin();
	return suites_run("netns", suites, sizeof(suites) / sizeof(suites[0]), machine_remember,
			  machine_compare);
}
