/* child_find.h - processes that lastport starts, by the name that they give themselves. */
#pragma once

#include <sys/types.h>

/* The child of this process that is called so, by /proc; 0: there is none. */
pid_t child_find(const char *name);
