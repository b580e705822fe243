#include "cmd/errors.h"

#include <stdio.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd/command.h"

enum {
	WINDOW = 100,
	BEFORE = 60,
	TAB = 8
}; /* columns of a source line that are shown; most of them before the caret */

/* A stretch of a line, and where the caret goes below it. */
struct view {
	struct text shown;
	size_t caret; /* code points before it, in `shown` */
	bool cut_front, cut_back;
};

static struct text skip_points(struct text t, size_t n)
{
	size_t len;

	for (; n && t.len; n--) {
		utf8_first(t, &len);
		t = text_skip(t, len);
	}
	return t;
}

/* How far into the line the caret stands: at its end at most. */
static size_t points_before(struct text line, unsigned col)
{
	size_t n = 0;

	for (; n + 1 < col && line.len; n++)
		line = skip_points(line, 1);
	return n;
}

static struct view view_of(struct text line, unsigned col)
{
	size_t before = points_before(line, col), skipped = before > BEFORE ? before - BEFORE : 0;
	struct text shown = skip_points(line, skipped), rest = skip_points(shown, WINDOW);

	shown.len -= rest.len;
	return (struct view){shown, before - skipped, skipped > 0, rest.len > 0};
}

/* One code point as the terminal gets it; the columns it takes there. Tabs go to the next stop
 * of the source line. */
static size_t write_point(struct out *out, struct text point, size_t col)
{
	char buffer[16];
	struct out memory = out_memory(buffer, sizeof(buffer));
	size_t len;
	int32_t value = utf8_first(point, &len);

	if (value == '\t') {
		out_pad(out, TAB - col % TAB);
		return TAB - col % TAB;
	}
	out_escaped(&memory, point);
	out_text(out, out_written(&memory));
	return value < 0 || utf8_is_hostile(value) ? memory.len : utf8_width(value);
}

static void write_source(struct out *out, const struct err *err)
{
	struct view v = view_of(err->source, err->at.col);
	char margin[24];
	int width = snprintf(margin, sizeof(margin), "  %u | ", err->at.line);
	size_t col = 0, caret = 0, len, i = 0;

	out_z(out, margin);
	out_z(out, v.cut_front ? "…" : "");
	for (struct text t = v.shown; t.len; t = text_skip(t, len), i++) {
		if (i == v.caret)
			caret = col;
		utf8_first(t, &len);
		col += write_point(out, (struct text){t.s, len}, col);
	}
	if (i <= v.caret) /* behind the end of the line */
		caret = col;
	out_z(out, v.cut_back ? "…\n" : "\n");
	out_pad(out, (size_t)width - 2);
	out_z(out, "| ");
	out_pad(out, caret + (v.cut_front ? 1 : 0));
	out_z(out, "^\n");
}

static void write_one(struct out *out, const struct err *err)
{
	out_z(out, "lastport: ");
	if (err->at.line) {
		out_escaped(out, text_of(err->at.file));
		out_fmt(out, ":%u:%u: ", err->at.line, err->at.col);
	}
	out_escaped(out, text_of(err->what));
	out_z(out, "\n");
	if (err->at.line)
		write_source(out, err);
	if (err->hint[0]) {
		out_z(out, "  hint: ");
		out_escaped(out, text_of(err->hint));
		out_z(out, "\n");
	}
}

void errors_write(struct out *out, const struct errs *errs)
{
	for (unsigned i = 0; i < errs->count; i++)
		write_one(out, &errs->list[i]);
	if (errs->more)
		out_fmt(out, "lastport: and %u more\n", errs->more);
}

int error_status(const struct err *err)
{
	static const int statuses[] = {[ERR_NONE] = STATUS_OK,
				       [ERR_USAGE] = STATUS_USAGE,
				       [ERR_SCENARIO] = STATUS_USAGE,
				       [ERR_HOST] = STATUS_HOST,
				       [ERR_SYS] = STATUS_TROUBLE};

	return statuses[err->kind];
}

int errors_status(const struct errs *errs)
{
	int worst = STATUS_OK;

	for (unsigned i = 0; i < errs->count; i++)
		if (error_status(&errs->list[i]) > worst)
			worst = error_status(&errs->list[i]);
	return worst;
}

int errors_print(const struct errs *errs)
{
	char buffer[4096];
	struct out out = out_to(STDERR_FILENO, buffer, sizeof(buffer));

	errors_write(&out, errs);
	out_flush(&out); /* where could its failure be told? */
	return errors_status(errs);
}

int error_print(const struct err *err)
{
	struct errs one = {.list = {*err}, .count = err->kind != ERR_NONE};

	return errors_print(&one);
}
