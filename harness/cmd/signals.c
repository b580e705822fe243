#include "cmd/signals.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t noted;
static const int watched[] = {SIGINT, SIGTERM, SIGHUP};

enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static struct timespec noted_at; /* CLOCK_MONOTONIC; written and read by the handler alone */

static void die_of(int signal)
{
	struct sigaction fallback = {.sa_handler = SIG_DFL};
	sigset_t set;

	sigaction(signal, &fallback, NULL);
	sigemptyset(&set);
	sigaddset(&set, signal);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
}

static void on_signal(int signal)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!noted) {
		noted_at = now;
		noted = signal;
	} else if (now.tv_sec - noted_at.tv_sec > (now.tv_nsec < noted_at.tv_nsec)) {
		die_of(signal); /* a second or more has gone by */
	}
}

const volatile sig_atomic_t *signals_watch(void)
{
	struct sigaction first = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&first.sa_mask);
	for (size_t i = 0; i < WATCHED; i++) {
		struct sigaction now;

		/* nohup and the like have it ignored: so do we. */
		if (sigaction(watched[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaction(watched[i], &first, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	return &noted;
}

void signals_block(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < WATCHED; i++)
		sigaddset(&set, watched[i]);
	pthread_sigmask(SIG_BLOCK, &set, before);
}

void signals_restore(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

void signals_raise(int signal)
{
	die_of(signal);
}
