/* facts.h - what this host and its kernel can do, tried out for real.
 *
 * Output: struct host (words/facts.def). Nothing is left behind: namespaces are tried in a
 *         child that is gone at once.
 * Errors: what does not work is a fact, with its errno; ERR_SYS only if nothing can be tried at
 *         all.
 * Threads: call it before the process has a second thread, and before lab_rights(), or the
 *          facts are those of an empty namespace.
 */
#pragma once

#include "base/err.h"
#include "host/host.h"

bool host_read(struct host *out, struct err *err);

/* What needs no trial: limits, memory, sysctls, counters. Makes no namespace and no ring, takes no
 * right; that what was not tried works, is assumed. */
void host_read_limits(struct host *out);
