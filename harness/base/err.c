#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_open(const struct err *err)
{
	return err && err->kind == ERR_NONE;
}

bool err_set(struct err *err, enum err_kind kind, const char *what, ...)
{
	va_list args;

	if (!is_open(err))
		return false;
	va_start(args, what);
	vsnprintf(err->what, sizeof(err->what), what, args);
	va_end(args);
	err->kind = kind;
	return false;
}

bool err_sys(struct err *err, int sys, const char *what, ...)
{
	va_list args;
	size_t len;

	if (!is_open(err))
		return false;
	va_start(args, what);
	vsnprintf(err->what, sizeof(err->what), what, args);
	va_end(args);
	len = strlen(err->what);
	snprintf(err->what + len, sizeof(err->what) - len, ": %s", strerror(sys));
	err->kind = ERR_SYS;
	err->sys = sys;
	return false;
}

bool err_hint(struct err *err, const char *hint, ...)
{
	va_list args;

	if (!err || err->kind == ERR_NONE || err->hint[0])
		return false;
	va_start(args, hint);
	vsnprintf(err->hint, sizeof(err->hint), hint, args);
	va_end(args);
	return false;
}

bool err_at(struct err *err, struct mark at, struct text source)
{
	if (err && err->kind != ERR_NONE && err->at.line == 0) {
		err->at = at;
		err->source = source;
	}
	return false;
}

struct err *errs_next(struct errs *errs)
{
	if (errs->count == ERRS_MOST) {
		errs->more++;
		return NULL;
	}
	return &errs->list[errs->count++];
}

void errs_add(struct errs *errs, const struct err *err)
{
	struct err *to = errs_next(errs);

	if (to)
		*to = *err;
}
