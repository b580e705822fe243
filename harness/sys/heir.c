#include "sys/heir.h"

#include <errno.h>

/* What has become of a gift, which is a byte that carries a descriptor. */
struct answer {
	int error; /* an errno value */
	int fd;	   /* the heir's own */
};

static void heir_live(int fd, const void *context)
{
	bool cut;
	char byte = 0;
	int given;

	(void)context;
	while (child_receive(fd, &byte, sizeof(byte), &given, &cut)) {
		const struct answer answer = {cut ? EMFILE : 0, given};

		if (!child_send(fd, &answer, sizeof(answer), -1))
			return;
	}
}

bool heir_start(struct heir *out, struct err *err)
{
	static const struct child_work work = {"lastport-heir", heir_live, NULL};

	return child_start(&out->child, &work, err);
}

int heir_give(const struct heir *heir, int fd, int *its)
{
	const char byte = 0;
	struct answer answer = {0};
	bool cut;
	int none;

	if (!child_send(heir->child.fd, &byte, sizeof(byte), fd) ||
	    !child_receive(heir->child.fd, &answer, sizeof(answer), &none, &cut))
		return EPIPE;
	*its = answer.fd;
	return answer.error;
}

void heir_stop(struct heir *heir)
{
	child_stop(&heir->child);
}
