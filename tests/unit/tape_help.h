/* tape_help.h - a small tape to write on. */
#pragma once

#include "tape/tape.h"

enum { ROOM = 16 }; /* for events, samples, counters and destinations */

struct tape tape_new(struct arena *arena);
