#include "scenario/keys.h"

#include "base/unit.h"
#include "scenario/source.h"

/* How connections end, by share: {leak: 5%}. What is left of 100 % is load.end's. */

/* Shares are written in decimals, and their sum is not quite. */
static const double least_share = 1e-9;

double load_share(const struct load *l, enum end end)
{
	double left = 1;

	for (enum end e = 0; e < ENDS; e++)
		left -= l->mix.share[e];
	return l->mix.share[end] + (end == l->end ? left : 0);
}

bool load_ends(const struct load *l, enum end end)
{
	return load_share(l, end) > least_share;
}

static bool read_end(const struct reading *r, const struct node *n, struct mix *out)
{
	int end = choice_find(end_words, n->key);
	struct err *err;

	if (end < 0) {
		const char *near = choice_near(end_words, n->key);

		err = errs_next(r->errs);
		source_err(err, r->source, n->key_at, "there is no end %s", source_quote(n->key).z);
		return near ? err_hint(err, "Did you mean %s?", near)
			    : err_hint(err, "Its keys are %s.", choice_list(end_words, r->arena));
	}
	if (n->shape == SHAPE_SCALAR && unit_read_share(n->text, &out->share[end]) &&
	    out->share[end] >= 0 && out->share[end] <= 1)
		return true;
	err = value_refuse(r, text_format(r->arena, "load.mix.%s", end_words[end].word).s, n);
	return err_hint(err, "Write a share such as 5%%, from 0%% to 100%%.");
}

/* What is there already is the base's: a case's shares come on top, and {} takes them back. */
static bool read_mix(const struct reading *r, const struct key *key, const struct node *n,
		     void *field)
{
	struct mix mix = n->first ? *(const struct mix *)field : (struct mix){0};
	double sum = 0;
	bool ok = true;

	for (const struct node *item = n->first; item; item = item->next)
		ok = read_end(r, item, &mix) && ok;
	for (enum end e = 0; e < ENDS; e++)
		sum += mix.share[e];
	if (ok && sum > 1 + least_share) {
		struct err *err = errs_next(r->errs);

		source_err(err, r->source, n->at, "%s comes to more than 100 %%", key_path(r, key));
		return err_hint(
			err,
			"The shares come to 100 %% at most; what is left ends as load.end says.");
	}
	if (ok)
		*(struct mix *)field = mix;
	return ok;
}

static void write_mix(struct out *out, const void *field)
{
	const struct mix *mix = field;
	const char *lead = "";

	out_z(out, "{");
	for (enum end e = 0; e < ENDS; e++) {
		char share[UNIT_PRINTED];

		if (mix->share[e] <= 0)
			continue;
		out_fmt(out, "%s%s: %s", lead, end_words[e].word, unit_share(share, mix->share[e]));
		lead = ", ";
	}
	out_z(out, "}");
}

const struct kind kind_MIX = {.shape = SHAPE_MAP,
			      .form = "a map of ends and shares such as {leak: 5%}",
			      .read = read_mix,
			      .write = write_mix};
