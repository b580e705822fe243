#include "plan/lasts.h"

#include "plan/fill.h"
#include "plan/life.h"
#include "plan/part.h"

/* It does not go on as it was. */
static bool server_ends(const struct scenario *s)
{
	return s->server.die || s->server.vanish;
}

/* A gateway that carries fewer is full before, and the client's ports are not. */
static bool gateway_ends(const struct plan *p)
{
	return p->nat.outside.count && carriage_lacks(&p->nat.carriage);
}

int64_t lasts_ns(const struct plan *p)
{
	struct part parts[PARTS_MOST];

	if (parts_of(parts, p) > 1 || plan_binds_nowhere(p) || gateway_ends(p) ||
	    server_ends(p->scenario) || p->forecast.buckets > 0 || p->budget.capacity == 0)
		return 0;
	return fill_lasts_ns(p);
}
