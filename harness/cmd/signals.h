/* signals.h - SIGINT, SIGTERM and SIGHUP end a run early and lose nothing.
 *
 * The first is noted; whoever runs looks at it, saves, and ends. One that comes a second later or
 * more kills at once; one that comes sooner is the same wish: timeout(1) and make send SIGTERM
 * twice. Afterwards the signal is raised again, so that a shell sees who died of what: 130, 143.
 */
#pragma once

#include <signal.h>

/* From here on signals are noted, and SIGPIPE and SIGXFSZ are failed writes. Threads made later leave
 * signals to the first one if signals_block() stands around their making. */
const volatile sig_atomic_t *signals_watch(void);

void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
void signals_raise(int signal); /* does not return if the signal kills */
