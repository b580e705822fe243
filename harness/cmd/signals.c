#include "cmd/signals.h"

#include <pthread.h>
#include <stddef.h>

static volatile sig_atomic_t noted;
static const int watched[] = {SIGINT, SIGTERM, SIGHUP};

enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static void on_signal(int signal)
{
	noted = signal;
}

const volatile sig_atomic_t *signals_watch(void)
{
	struct sigaction first = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&first.sa_mask);
	for (size_t i = 0; i < WATCHED; i++) {
		struct sigaction now;

		/* nohup and the like have it ignored: so do we. */
		if (sigaction(watched[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaction(watched[i], &first, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
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
	struct sigaction fallback = {.sa_handler = SIG_DFL};

	sigaction(signal, &fallback, NULL);
	raise(signal);
}
