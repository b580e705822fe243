#include "sys/heir.h"

#include <errno.h>

/* A gift is a byte that carries a descriptor; its answer is an errno value. */
static void heir_live(int fd, const void *context)
{
	bool cut;
	char byte;
	int given;

	(void)context;
	while (child_receive(fd, &byte, sizeof(byte), &given, &cut)) {
		int answer = cut ? EMFILE : 0;

		if (!child_send(fd, &answer, sizeof(answer), -1))
			return;
	}
}

bool heir_start(struct heir *out, struct err *err)
{
	static const struct child_work work = {"lastport-heir", heir_live, NULL};

	return child_start(&out->child, &work, err);
}

int heir_give(const struct heir *heir, int fd)
{
	const char byte = 0;
	int answer, none;
	bool cut;

	if (!child_send(heir->child.fd, &byte, sizeof(byte), fd) ||
	    !child_receive(heir->child.fd, &answer, sizeof(answer), &none, &cut))
		return EPIPE;
	return answer;
}

void heir_stop(struct heir *heir)
{
	child_stop(&heir->child);
}
