/* suites.h - the suites on the real kernel: a line here, and one in main.c. */
#pragma once

#include "../unit/runner.h"

extern const struct suite suite_lab;
extern const struct suite suite_rights;
extern const struct suite suite_facts;
extern const struct suite suite_sense;
extern const struct suite suite_drive;
extern const struct suite suite_family;
extern const struct suite suite_timewait;
extern const struct suite suite_sockets;
extern const struct suite suite_watch;
extern const struct suite suite_cli;
