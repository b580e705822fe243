/* settings.h - the sysctls of a lab: set, read back, put on record.
 *
 * A new namespace starts from the kernel's defaults, whatever the host has set: each setting is
 * one of lastport's own wishes, or the scenario's, which come last and so win.
 *
 * Ownership: the record is in the arena.
 * Errors:    ERR_SCENARIO at the line of a value that the kernel refuses, or makes another of;
 *            ERR_SYS for our own.
 * Threads:   about the namespace that the calling thread is in.
 */
#pragma once

#include "lab/lab.h"

void settings_begin(struct lab *lab, const struct plan *plan, struct arena *arena);

/* Our own wishes for this namespace, before it has links. Those of the client's namespace go on
 * record. */
bool settings_own(struct lab *lab, const struct plan *plan, enum lab_role role, struct arena *,
		  struct err *);

/* The scenario's for this namespace, once the links are there: a sysctl can be about one of them. */
bool settings_scenario(struct lab *lab, const struct plan *plan, enum lab_role role, struct arena *,
		       struct err *);
