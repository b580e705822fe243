#include "lab_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/facts.h"
#include "sys/plain.h"
#include "sys/rights.h"

/* Of the machine, read once: a lab is built from it often. */
static struct host host;
static struct err no_network;

void help_begin(void)
{
	if (host_read(&host, &no_network))
		lab_rights(&host, &no_network);
	rights_raise_nofile(); /* as lastport itself does: 1,024 is what most users start with */
	if (host.netns)
		err_set(&no_network, ERR_HOST, "no network namespaces: %s", strerror(host.netns));
}

const struct host *help_host(void)
{
	return &host;
}

const char *help_no_network(void)
{
	return no_network.kind ? no_network.what : NULL;
}

const char *help_no_hash(void)
{
	return help_no_network()   ? help_no_network()
	       : host.private_hash ? strerror(host.private_hash)
				   : NULL;
}

const char *help_no_userns(void)
{
	return help_no_network() ? help_no_network() : host.userns ? strerror(host.userns) : NULL;
}

/* IORING_OP_FIXED_FD_INSTALL, by its number: Debian 12 has no name for it. */
const char *help_no_lending(void)
{
	enum { INSTALL = 54 };
	struct io_uring_probe *probe = io_uring_get_probe();
	bool has = probe && io_uring_opcode_supported(probe, INSTALL);

	io_uring_free_probe(probe);
	return has ? NULL : "io_uring lends no descriptors (Linux 6.8)";
}

const char *help_no_gateway(void)
{
	return help_no_network() ? help_no_network()
	       : host.nft	 ? "no program nft"
	       : host.nat	 ? strerror(host.nat)
				 : NULL;
}

bool help_plan(struct help *h, const char *lines)
{
	return help_plan_by(h, lines, 0);
}

bool help_plan_by(struct help *h, const char *lines, uint32_t workers)
{
	static const struct help none = {
		.lab = {.client_ns = -1, .server_ns = -1, .gateway_ns = -1}};
	struct scenario_file *file;
	struct errs *errs;
	struct text source;

	*h = none;
	CU_ASSERT_FATAL(arena_open(&h->arena, 128 << 20));
	file = ARENA_NEW(&h->arena, struct scenario_file);
	errs = ARENA_NEW(&h->arena, struct errs);
	source = text_format(&h->arena, "version: 1\nname: test\n%s", lines);
	if (!scenario_read(file, "test.yaml", source, &h->arena, errs)) {
		printf("%s: %s\n", lines, errs->list[0].what);
		CU_FAIL_FATAL("a test's scenario cannot be read");
	}
	return plan_make_for(&h->plan, &(struct plan_wish){&file->cases[0], &host, 1, workers},
			     &h->arena, &h->err);
}

bool help_open(struct help *h, const char *lines)
{
	return help_plan(h, lines) && lab_build(&h->lab, &h->plan, &h->arena, &h->err);
}

void help_close(struct help *h)
{
	lab_close(&h->lab);
	arena_close(&h->arena);
}

struct visit {
	struct help *help;
	enum lab_role role;
	bool (*enter)(const struct lab *, enum lab_role, struct err *);
	void (*work)(struct help *, void *);
	void *context;
	bool entered;
};

static void *visit_run(void *argument)
{
	struct visit *v = argument;

	v->entered = v->enter(&v->help->lab, v->role, &v->help->err);
	if (v->entered)
		v->work(v->help, v->context);
	return NULL;
}

static bool visit(struct visit v)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, visit_run, &v))
		return false;
	pthread_join(thread, NULL);
	return v.entered;
}

bool help_inside(struct help *h, enum lab_role role, void (*work)(struct help *, void *),
		 void *context)
{
	return visit((struct visit){h, role, lab_enter, work, context, false});
}

bool help_inside_admin(struct help *h, enum lab_role role, void (*work)(struct help *, void *),
		       void *context)
{
	return visit((struct visit){h, role, lab_enter_admin, work, context, false});
}

int help_child(int (*work)(void))
{
	int status;
	pid_t child;

	fflush(stdout); /* or the child would print it again */
	child = fork();
	if (child == 0)
		_exit(work());
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int help_listen(const struct plan *p)
{
	int fd = socket_listen(p->family, p->service_first, (int)p->backlog, false);

	return fd < 0 ? -1 : fd;
}

int help_connection(enum family family, const struct address *source, struct address to,
		    uint16_t port)
{
	struct endpoint there = endpoint_make(family, to, port);
	int fd = socket(family_domain(family), SOCK_STREAM | SOCK_CLOEXEC, 0), sys;

	if (fd < 0)
		return -errno;
	if (source) {
		struct endpoint here = endpoint_make(family, *source, 0);

		if (bind(fd, &here.any, here.len) < 0)
			goto failed;
	}
	if (connect(fd, &there.any, there.len) == 0)
		return fd;
failed:
	sys = errno;
	close(fd);
	return -sys;
}

struct crossing {
	const struct address *source;
	int listener, result;
};

static void crossing_listen(struct help *h, void *context)
{
	((struct crossing *)context)->listener = help_listen(&h->plan);
}

static void crossing_connect(struct help *h, void *context)
{
	struct crossing *c = context;

	for (uint32_t i = 0; i < h->plan.servers.count && c->result == 0; i++) {
		int fd = help_connection(h->plan.family, c->source, h->plan.servers.list[i],
					 h->plan.service_first);

		if (fd < 0)
			c->result = -fd;
		else
			close(fd);
	}
}

int help_cross(struct help *h, const struct address *source)
{
	struct crossing c = {.source = source, .listener = -1};

	if (!help_inside(h, LAB_SERVER, crossing_listen, &c) || c.listener < 0)
		return EIO;
	if (!help_inside(h, LAB_CLIENT, crossing_connect, &c))
		c.result = EIO;
	close(c.listener);
	return c.result;
}

ino_t help_namespace(void)
{
	struct stat s;

	return stat("/proc/thread-self/ns/net", &s) == 0 ? s.st_ino : 0;
}

unsigned help_names(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

unsigned help_descriptors(void)
{
	return help_names("/proc/self/fd");
}

struct text help_file(const char *path, char *buffer, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, room);

	if (fd >= 0)
		close(fd);
	return (struct text){buffer, n > 0 ? (size_t)n : 0};
}

struct text help_status(const char *name, char *buffer, size_t room)
{
	struct text rest = help_file("/proc/thread-self/status", buffer, room), line, word;

	while (text_cut(&rest, '\n', &line))
		if (text_cut(&line, ':', &word) && text_is(word, name))
			return text_trim(line);
	return (struct text){0};
}
