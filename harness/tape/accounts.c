#include "tape/tape.h"

bool tape_open_accounts(struct tape *tape, uint32_t destinations, struct arena *a, struct err *err)
{
	tape->accounts = ARENA_TRY(a, struct account, destinations + (size_t)1);
	if (!tape->accounts)
		return err_set(err, ERR_HOST, "no memory for the books of %u destinations",
			       destinations);
	tape->account_count = destinations + 1;
	return true;
}

/* The books of a load that has kept none for each destination are missing in the sum. */
void tape_merge_accounts(struct tape *into, const struct tape *more)
{
	if (more->tally.attempted && !more->accounts)
		into->accounts = NULL;
	if (!into->accounts || !more->accounts)
		return;
	for (uint32_t i = 0; i < into->account_count && i < more->account_count; i++) {
		struct account *to = &into->accounts[i];
		const struct account *from = &more->accounts[i];

		to->opened += from->opened;
		to->closed += from->closed;
		to->ended += from->ended;
		to->far_first += from->far_first;
		to->live += from->live;
		to->closing += from->closing;
		to->time_wait += from->time_wait;
	}
	into->accounts_found |= more->accounts_found;
}
