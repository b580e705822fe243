/* probe.h - what io_uring can do here, by doing it: releases lie, distributions backport,
 * containers forbid.
 *
 * Output: the io_uring facts of a host; each 0, or the errno with which it failed.
 */
#pragma once

#include "host/host.h"

void probe_rings(struct host *out);
