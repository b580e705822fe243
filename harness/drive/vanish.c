#include "drive/vanish.h"

#include "drive/alarm.h"
#include "sys/clock.h"

struct vanish {
	struct far_wish wish;
	struct tape tape;
	struct alarm alarm;
	int64_t zero_ns; /* written before alarm_begin() */
	bool good;	 /* it may; written before alarm_ready() */
	struct err err;
};

static void vanish_now(struct vanish *v)
{
	if (!lab_vanish(v->wish.plan, &v->err)) {
		atomic_store(&v->wish.hooks->pulse->broken, true);
		return;
	}
	tape_event(&v->tape, (struct event){.t_ns = clock_now() - v->zero_ns,
					    .dest = NOWHERE,
					    .kind = EVENT_SERVER_GONE});
}

static void *vanish_thread(void *context)
{
	struct vanish *v = context;

	v->good = lab_enter_admin(v->wish.lab, LAB_SERVER, &v->err);
	alarm_ready(&v->alarm);
	alarm_await(&v->alarm);
	if (v->good && alarm_until(&v->alarm, v->zero_ns + v->wish.plan->scenario->server.vanish))
		vanish_now(v);
	return NULL;
}

bool vanish_start(struct vanish **out, const struct far_wish *wish, struct arena *arena,
		  struct err *err)
{
	struct vanish *v;

	*out = NULL;
	if (wish->plan->scenario->server.vanish == 0)
		return true;
	v = ARENA_NEW(arena, struct vanish);
	v->wish = *wish;
	if (!tape_open(&v->tape, 1, 0, 0, arena, err))
		return false;
	tape_live(&v->tape, -1, wish->hooks->events_fd, wish->hooks->run);
	if (!alarm_start(&v->alarm, vanish_thread, v, "has the server vanish", err))
		return false;
	*out = v->good ? v : NULL;
	return v->good || vanish_stop(v, NULL, err);
}

void vanish_zero(struct vanish *v, int64_t now_ns)
{
	if (!v)
		return;
	v->zero_ns = now_ns;
	alarm_begin(&v->alarm);
}

bool vanish_stop(struct vanish *v, struct tape *out, struct err *err)
{
	if (!v)
		return true;
	alarm_stop(&v->alarm);
	if (out)
		tape_merge(out, &v->tape);
	if (v->err.kind && err->kind == ERR_NONE)
		*err = v->err;
	return v->err.kind == ERR_NONE;
}
