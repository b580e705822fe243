#include "scenario/keys.h"

#include <string.h>

#include "scenario/source.h"

/* Lists of lines, and the map of sysctls. */

enum { SETTINGS_MOST = 64, SETTING_NAME_MOST = 128, SETTING_VALUE_MOST = 64 };

static bool read_lines(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	struct line_list lines = {ARENA_ARRAY(r->arena, struct text, n->count), 0};
	bool ok = true;

	for (const struct node *item = n->first; item; item = item->next) {
		if (item->shape == SHAPE_SCALAR && item->text.len && line_is(item->text)) {
			lines.list[lines.count++] = item->text;
		} else {
			struct err *err =
				value_refuse(r, text_format(r->arena, "%s[]", key->name).s, item);

			ok = err_hint(err, "Write %s.", kind_LINE.form);
		}
	}
	if (ok)
		*(struct line_list *)field = lines;
	return ok;
}

static void write_lines(struct out *out, const void *field)
{
	const struct line_list *lines = field;

	out_z(out, "[");
	for (size_t i = 0; i < lines->count; i++) {
		out_z(out, i ? ", " : "");
		quote_write(out, lines->list[i]);
	}
	out_z(out, "]");
}

/* "net.", then words of a-z, 0-9, _ and -, with a dot between them: what becomes a path below
 * /proc/sys/net, and nowhere else. */
static bool is_sysctl(struct text name)
{
	struct text word;
	bool more;

	if (!text_starts(name, TEXT("net.")) || name.len > SETTING_NAME_MOST)
		return false;
	do {
		more = text_cut(&name, '.', &word);
		if (word.len == 0 ||
		    text_span(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") < word.len)
			return false;
	} while (more);
	return true;
}

static bool is_setting(const struct node *n)
{
	return n->shape == SHAPE_SCALAR && n->text.len && n->text.len <= SETTING_VALUE_MOST &&
	       line_is(n->text);
}

const struct owned_setting owned_settings[] = {
	{"network", "net.ipv4.ip_local_port_range", "network.ports"},
	{"network", "net.ipv4.ip_local_reserved_ports", "network.reserved"},
	{NULL, NULL, NULL},
};

static bool check_setting(const struct reading *r, const struct key *key, const struct node *n)
{
	struct quoted name = source_quote(n->key);
	const char *path = key_path(r, key);
	struct err *err;

	for (const struct owned_setting *o = owned_settings; o->name; o++) {
		if (strcmp(key->section, o->section) != 0 || !text_is(n->key, o->name))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, n->key_at, "%s cannot set %s", path, o->name);
		return err_hint(err, "Write it as %s.", o->key);
	}
	if (!is_sysctl(n->key)) {
		err = errs_next(r->errs);
		source_err(err, r->source, n->key_at, "%s cannot set %s", path, name.z);
		return err_hint(
			err, "%s",
			text_starts(n->key, TEXT("fs."))
				? "It is the whole machine's, which lastport does not change: "
				  "load.nofile "
				  "limits the descriptors of the load alone (EMFILE, not ENFILE)."
				: "Write the name of a network sysctl, such as "
				  "net.ipv4.tcp_tw_reuse.");
	}
	if (!is_setting(n)) {
		err = value_refuse(r, text_format(r->arena, TEXT_FMT, TEXT_ARG(n->key)).s, n);
		return err_hint(err, "Write one line of 1 to %d bytes.", SETTING_VALUE_MOST);
	}
	return true;
}

/* The kernel takes no other: proc_dou8vec_minmax(), net/ipv4/sysctl_net_ipv4.c. */
static bool check_reuse(const struct reading *r, const struct node *n)
{
	bool is_one = n->text.len == 1 && n->text.s[0] >= '0' && n->text.s[0] <= '2';

	if (is_one || !text_is(n->key, "net.ipv4.tcp_tw_reuse"))
		return true;
	return err_hint(value_refuse(r, "net.ipv4.tcp_tw_reuse", n), "Write 0, 1 or 2.");
}

static struct setting *setting_of(struct setting_list *settings, struct text name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (text_eq(settings->list[i].name, name))
			return &settings->list[i];
	return settings->count < SETTINGS_MOST ? &settings->list[settings->count++] : NULL;
}

/* What is there already is the base's: a case's settings come on top. */
static bool read_sysctl(const struct reading *r, const struct key *key, const struct node *n,
			void *field)
{
	const struct setting_list *before = field;
	struct setting_list settings = {ARENA_ARRAY(r->arena, struct setting, SETTINGS_MOST),
					before->count};
	bool ok = true;

	if (before->count)
		memcpy(settings.list, before->list, sizeof(before->list[0]) * before->count);
	for (const struct node *item = n->first; item; item = item->next) {
		struct setting *setting;

		if (!check_setting(r, key, item) || !check_reuse(r, item)) {
			ok = false;
			continue;
		}
		setting = setting_of(&settings, item->key);
		if (!setting) {
			struct err *err = errs_next(r->errs);

			source_err(err, r->source, item->key_at, "there are too many sysctls");
			return err_hint(err, "A case has at most %d.", SETTINGS_MOST);
		}
		*setting = (struct setting){item->key, item->text, item->key_at, item->at};
	}
	if (ok)
		*(struct setting_list *)field = settings;
	return ok;
}

static void write_sysctl(struct out *out, const void *field)
{
	const struct setting_list *settings = field;

	out_z(out, "{");
	for (size_t i = 0; i < settings->count; i++) {
		out_z(out, i ? ", " : "");
		out_text(out, settings->list[i].name);
		out_z(out, ": ");
		quote_write(out, settings->list[i].value);
	}
	out_z(out, "}");
}

const struct kind kind_LINES = {.shape = SHAPE_LIST,
				.form = "a list of lines such as [redis/hiredis#58]",
				.read = read_lines,
				.write = write_lines};
const struct kind kind_SYSCTL = {.shape = SHAPE_MAP,
				 .form = "a map such as {net.ipv4.tcp_tw_reuse: 0}",
				 .read = read_sysctl,
				 .write = write_sysctl};
