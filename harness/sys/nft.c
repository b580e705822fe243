#include "sys/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/rights.h"

/* What is kept of its complaints: the first of them says what is wrong. */
enum { WORDS_MOST = 512, ASK_BYTES = 1024 };

/* What the program reads, and what it says: files in memory, so that neither side can wait for
 * the other. */
struct talk {
	int rules, words;
};

const char *nft_find(void)
{
	/* Not the user's PATH: what is started here has rights. */
	static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft",
					     "/usr/local/sbin/nft",
					     "/run/current-system/sw/bin/nft"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static bool talk_open(struct talk *t, struct text rules, struct err *err)
{
	t->rules = memfd_create("rules", MFD_CLOEXEC);
	t->words = memfd_create("words", MFD_CLOEXEC);
	if (t->rules >= 0 && t->words >= 0 &&
	    write(t->rules, rules.s, rules.len) == (ssize_t)rules.len &&
	    lseek(t->rules, 0, SEEK_SET) == 0)
		return true;
	return err_sys(err, errno, "could not write down the gateway's rules");
}

static void talk_close(const struct talk *t)
{
	if (t->rules >= 0)
		close(t->rules);
	if (t->words >= 0)
		close(t->words);
}

/* In a process group of its own, and with signals as every program expects them. */
static int nft_spawn(const char *path, const struct talk *t, pid_t *child)
{
	static char name[] = "nft", file[] = "-f", input[] = "-";
	static char locale[] = "LC_ALL=C", path_there[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const argv[] = {name, file, input, NULL}, *const environment[] = {locale, path_there,
										NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int sys;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, t->rules, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, t->words, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, t->words, STDERR_FILENO);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
					       POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	sys = posix_spawn(child, path, &files, &how, argv, environment);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return sys;
}

/* Its first line, without where in the rules it is: nobody sees those. */
static struct text first_words(const struct talk *t, char *buffer)
{
	ssize_t n = pread(t->words, buffer, WORDS_MOST, 0);
	struct text all = {buffer, n > 0 ? (size_t)n : 0}, line = {0};
	const char *error;

	text_cut(&all, '\n', &line);
	error = line.len ? memmem(line.s, line.len, "Error: ", 7) : NULL;
	if (error)
		line = text_skip(line, (size_t)(error - line.s) + 7);
	return line.len ? line : TEXT("it says nothing");
}

static bool nft_judge(int status, const struct talk *t, struct err *err)
{
	char buffer[WORDS_MOST];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_SYS, "nft was killed by signal %d", WTERMSIG(status));
	err_set(err, ERR_HOST, "nft refuses the gateway's rules: " TEXT_FMT,
		TEXT_ARG(first_words(t, buffer)));
	return err_hint(err,
			"The kernel may lack nf_tables, NAT or connection tracking: load the "
			"modules nft_chain_nat, nft_nat, nft_numgen, nft_connlimit, nft_objref.");
}

static bool nft_run(const char *path, const struct talk *t, struct err *err)
{
	pid_t child;
	int status, sys = nft_spawn(path, t, &child);

	if (sys) {
		err_set(err, ERR_HOST, "could not start %s: %s", path, strerror(sys));
		return err_hint(err, "Install Debian's package nftables anew.");
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "could not wait for nft");
	return nft_judge(status, t, err);
}

/* ---- what the kernel can ------------------------------------------------- */

/* A message of a batch at the buffer's end. */
static struct nlmsghdr *message_begin(char *buffer, size_t used, uint16_t type, uint16_t flags,
				      uint16_t subsystem)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer + used);
	struct nfgenmsg *what = mnl_nlmsg_put_extra_header(m, sizeof(*what));

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	*what = (struct nfgenmsg){.nfgen_family = subsystem ? AF_UNSPEC : NFPROTO_IPV4,
				  .version = NFNETLINK_V0,
				  .res_id = htons(subsystem)};
	return m;
}

static size_t chain_ask(char *buffer)
{
	const uint16_t tables = NFNL_SUBSYS_NFTABLES << 8;
	struct nlmsghdr *m =
		message_begin(buffer, 0, NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);
	size_t used = m->nlmsg_len;
	struct nlattr *hook;

	m = message_begin(buffer, used, tables | NFT_MSG_NEWTABLE, NLM_F_CREATE, 0);
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, "try");
	used += m->nlmsg_len;
	m = message_begin(buffer, used, tables | NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK, 0);
	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, "try");
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, "try");
	hook = mnl_attr_nest_start(m, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(m, NFTA_HOOK_HOOKNUM, htonl(NF_INET_POST_ROUTING));
	mnl_attr_put_u32(m, NFTA_HOOK_PRIORITY, htonl(NF_IP_PRI_NAT_SRC));
	mnl_attr_nest_end(m, hook);
	mnl_attr_put_strz(m, NFTA_CHAIN_TYPE, "nat");
	used += m->nlmsg_len;
	m = message_begin(buffer, used, NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
	return used + m->nlmsg_len;
}

/* The first answer tells: the chain's, or what refuses all of it. */
static int chain_answer(const struct nlmsghdr *m, ssize_t len)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

	if (len < (ssize_t)NLMSG_LENGTH(sizeof(*e)) || m->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -e->error;
}

int nft_try(void)
{
	_Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), sys = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	if (send(fd, buffer, chain_ask(buffer), 0) < 0)
		sys = errno;
	n = sys ? 0 : recv(fd, buffer, sizeof(buffer), 0);
	if (n < 0)
		sys = errno;
	else if (sys == 0)
		sys = chain_answer((const void *)buffer, n);
	close(fd);
	return sys;
}

/* ---- the program --------------------------------------------------------- */

bool nft_load(struct text rules, struct err *err)
{
	struct talk talk = {-1, -1};
	const char *path = nft_find();
	bool good;

	if (!path) {
		err_set(err, ERR_HOST, "there is no program nft here");
		return err_hint(err, "Install it: Debian's package nftables.");
	}
	good = talk_open(&talk, rules, err) && rights_pass_network(err) &&
	       nft_run(path, &talk, err);
	talk_close(&talk);
	return good;
}
