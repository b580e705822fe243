/* doctor.h - what a host can run, as a person reads it. */
#pragma once

#include "base/out.h"
#include "host/host.h"

/* A line a capability, with what to do where one is missing, then the other facts. False:
 * lastport cannot run here. */
bool doctor_tell(struct out *out, const struct host *host);
