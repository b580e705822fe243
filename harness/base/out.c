#include "base/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

struct out out_to(int fd, char *buffer, size_t room)
{
	return (struct out){.fd = fd, .buffer = buffer, .room = room};
}

struct out out_memory(char *buffer, size_t room)
{
	return out_to(-1, buffer, room);
}

bool out_flush(struct out *out)
{
	size_t done = 0;

	while (out->fd >= 0 && out->sys == 0 && done < out->len) {
		ssize_t n = write(out->fd, out->buffer + done, out->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			out->sys = errno;
		else
			done += (size_t)n;
	}
	if (out->fd >= 0)
		out->len = 0;
	return out->sys == 0;
}

void out_text(struct out *out, struct text t)
{
	while (t.len) {
		size_t n = out->room - out->len;

		if (n > t.len)
			n = t.len;
		memcpy(out->buffer + out->len, t.s, n);
		out->len += n;
		t = text_skip(t, n);
		if (t.len == 0)
			break;
		if (out->fd < 0) {
			out->sys = ENOSPC;
			break;
		}
		out_flush(out);
	}
}

void out_z(struct out *out, const char *z)
{
	out_text(out, text_of(z));
}

void out_fmt(struct out *out, const char *format, ...)
{
	char line[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(line)) {
		len = sizeof(line) - 1;
		out->sys = out->sys ? out->sys : EMSGSIZE;
	}
	out_text(out, (struct text){line, (size_t)len});
}

void out_escaped(struct out *out, struct text t)
{
	while (t.len) {
		size_t len;
		int32_t point = utf8_first(t, &len);

		if (point < 0) {
			out_fmt(out, "\\x%02x", (unsigned char)t.s[0]);
		} else if (utf8_is_hostile(point)) {
			out_fmt(out, point < 0x80 ? "\\x%02x" : "\\u{%04x}", (unsigned)point);
		} else {
			out_text(out, (struct text){t.s, len});
		}
		t = text_skip(t, len);
	}
}

void out_pad(struct out *out, size_t blanks)
{
	while (blanks--)
		out_z(out, " ");
}

void out_paint(struct out *out, enum paint paint, const char *z)
{
	static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[2m", "\033[1m"};

	if (!out->colour || paint == PAINT_NONE) {
		out_z(out, z);
		return;
	}
	out_z(out, codes[paint]);
	out_z(out, z);
	out_z(out, "\033[0m");
}

struct text out_written(const struct out *out)
{
	return (struct text){out->buffer, out->len};
}
