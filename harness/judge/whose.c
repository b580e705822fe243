#include "judge/whose.h"

#include "base/order.h"

/* What the kernel can have of a load, at most. */
struct held {
	uint64_t live, closing;
};

/* One that is open may have sent its FIN, and is closing to the kernel. */
static bool half_closes(const struct load *load)
{
	return load->end == END_SHUTDOWN || load->mix.share[END_SHUTDOWN] > 0;
}

/* Of those in flight it is not known where to. Who was closed by the far end first is never in TIME_WAIT. */
static struct held held_of(const struct tape *load, const struct load_plan *lp, uint32_t account)
{
	const struct account *a = &load->accounts[account];
	uint64_t open = less(a->opened, a->closed + a->ended);

	return (struct held){open + load->tally.in_flight,
			     a->closed - a->far_first + (half_closes(lp->load) ? open : 0)};
}

/* Of `found`, its own are no more than `claim`, and the others' no more than the rest of `sum`; `foreign`
 * may be no load's. What is more than all of them claim is none of theirs. */
static struct between share_of(uint64_t found, uint64_t claim, uint64_t sum, uint64_t foreign)
{
	uint64_t theirs = least(found, sum);

	return (struct between){less(theirs, sum - claim + foreign), least(theirs, claim)};
}

/* On loopback what the far end opens to itself has the client's ports. */
static uint64_t foreign_of(const struct tape *tape, const struct plan *plan)
{
	return plan->scenario->network.topology == TOPOLOGY_LOOPBACK ? tape->far_opened : 0;
}

static struct whose_row row_of(const struct tape *tape, const struct plan *plan, uint32_t account)
{
	const struct account *a = &tape->accounts[account];
	struct account_place at = plan_account_place(plan, account);

	return (struct whose_row){.to = at.address,
				  .port = at.port,
				  .datagrams = at.datagrams,
				  .live = a->live,
				  .closing = a->closing,
				  .time_wait = a->time_wait};
}

static void fill_row(struct whose_row *row, const struct tape *tape, const struct plan *plan,
		     uint32_t account, struct arena *a)
{
	uint64_t foreign = foreign_of(tape, plan);
	struct held sum = {0, 0};

	for (uint32_t i = 0; i < plan->load_count; i++) {
		struct held c = held_of(&tape->loads[i], &plan->loads[i], account);

		sum.live += c.live;
		sum.closing += c.closing;
	}
	row->shares = ARENA_ARRAY(a, struct whose_share, plan->load_count);
	for (uint32_t i = 0; i < plan->load_count; i++) {
		struct held c = held_of(&tape->loads[i], &plan->loads[i], account);

		row->shares[i] = (struct whose_share){
			share_of(row->live, c.live, sum.live, foreign),
			share_of(row->closing, c.closing, sum.closing, foreign)};
	}
}

static bool is_shared(const struct tape *tape, uint32_t account)
{
	uint32_t loads = 0;

	for (size_t i = 0; i < tape->load_count; i++)
		loads += tape->loads[i].accounts && tape->loads[i].accounts[account].opened > 0;
	return loads > 1;
}

static bool has_accounts(const struct tape *tape)
{
	bool all = tape->accounts && tape->accounts_found && tape->load_count > 1;

	for (size_t i = 0; all && i < tape->load_count; i++)
		all = tape->loads[i].accounts != NULL;
	return all;
}

static uint64_t sockets_of(const struct account *a)
{
	return a->live + a->closing;
}

/* Into its place among those with most, of which the last falls out. */
static void keep(uint32_t *list, size_t *count, const struct account *accounts, uint32_t which)
{
	size_t at = *count;

	for (; at > 0 && sockets_of(&accounts[list[at - 1]]) < sockets_of(&accounts[which]); at--)
		if (at < WHOSE_ROWS)
			list[at] = list[at - 1];
	if (at < WHOSE_ROWS)
		list[at] = which;
	*count += *count < WHOSE_ROWS;
}

void whose_are(struct measures *m, const struct tape *tape, const struct plan *plan,
	       struct arena *a)
{
	uint32_t list[WHOSE_ROWS] = {0}, found = 0;

	for (uint32_t i = 0; has_accounts(tape) && i < plan_accounts(plan); i++) {
		if (!is_shared(tape, i) || sockets_of(&tape->accounts[i]) == 0)
			continue;
		found++;
		keep(list, &m->whose_count, tape->accounts, i);
	}
	m->whose_more = found - (uint32_t)m->whose_count;
	m->whose = ARENA_ARRAY(a, struct whose_row, m->whose_count);
	for (size_t i = 0; i < m->whose_count; i++) {
		m->whose[i] = row_of(tape, plan, list[i]);
		fill_row(&m->whose[i], tape, plan, list[i], a);
	}
}
