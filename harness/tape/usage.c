#include "tape/usage.h"

#include <jansson.h>

static json_t *address_json(struct address a)
{
	char text[ADDRESS_PRINTED];

	return json_string(address_print(text, a));
}

json_t *states_json(const uint32_t states[STATES])
{
	json_t *o = json_object();

	for (int i = 1; i < STATES; i++)
		if (states[i])
			json_object_set_new(o, state_name(i), json_integer(states[i]));
	return o;
}

static json_t *holders_json(const struct usage *u)
{
	json_t *array = json_array();

	for (int i = 0; i < HOLDERS_MOST && u->holders[i].sockets; i++) {
		const struct holder *h = &u->holders[i];
		json_t *o = json_pack("{s:s, s:I}", "command", h->command, "sockets",
				      (json_int_t)h->sockets);

		if (h->pid)
			json_object_set_new(o, "pid", json_integer(h->pid));
		if (h->fd_lowest >= 0)
			json_object_set_new(o, "descriptors",
					    json_pack("[i, i]", h->fd_lowest, h->fd_highest));
		json_array_append_new(array, o);
	}
	return array;
}

json_t *usage_json(const struct usage *u)
{
	enum protocol protocol = u->datagrams ? PROTOCOL_UDP : PROTOCOL_TCP;
	json_t *o = json_pack("{s:o}", "from", address_json(u->local));

	if (u->remote_port) {
		json_object_set_new(o, "to", address_json(u->remote));
		json_object_set_new(o, "port", json_integer(u->remote_port));
	}
	json_object_set_new(o, "protocol", json_string(protocol_words[protocol].word));
	json_object_set_new(o, "usable", json_integer(u->usable));
	if (u->elsewhere)
		json_object_set_new(o, "elsewhere", json_integer(u->elsewhere));
	if (u->outside)
		json_object_set_new(o, "outside", json_integer(u->outside));
	if (u->guessed)
		json_object_set_new(o, "guessed", json_true());
	json_object_set_new(o, "used", json_integer(usage_used(u)));
	json_object_set_new(o, "free", json_integer(usage_free(u)));
	json_object_set_new(o, "lower", json_integer(u->lower));
	json_object_set_new(o, "states", states_json(u->states));
	if (u->holders_known)
		json_object_set_new(o, "holders", holders_json(u));
	if (u->held_by_others)
		json_object_set_new(o, "others", json_integer(u->held_by_others));
	return o;
}

static struct text text_json(const json_t *string)
{
	return (struct text){json_string_value(string), json_string_length(string)};
}

static bool read_count(json_t *from, uint64_t most, uint32_t *out)
{
	json_int_t n = json_integer_value(from);

	if (!json_is_integer(from) || n < 0 || (uint64_t)n > most)
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool read_remote(json_t *from, struct usage *out)
{
	json_t *to = json_object_get(from, "to"), *port = json_object_get(from, "port");
	uint32_t n = 0;

	if (!to && !port)
		return true;
	if (!address_read(text_json(to), &out->remote) || !read_count(port, UINT16_MAX, &n))
		return false;
	out->remote_port = (uint16_t)n;
	return n > 0;
}

static bool read_states(json_t *from, struct usage *out)
{
	const char *name;
	json_t *n;

	if (!json_is_object(from))
		return false;
	json_object_foreach(from, name, n)
	{
		int state = state_find(text_of(name));

		if (state == 0 || !read_count(n, UINT32_MAX, &out->states[state]))
			return false;
	}
	return true;
}

/* The lowest and the highest. */
static bool read_descriptors(json_t *list, struct holder *out)
{
	uint32_t lowest, highest;

	out->fd_lowest = out->fd_highest = -1;
	if (!list)
		return true;
	if (json_array_size(list) != 2 ||
	    !read_count(json_array_get(list, 0), INT32_MAX, &lowest) ||
	    !read_count(json_array_get(list, 1), INT32_MAX, &highest))
		return false;
	out->fd_lowest = (int32_t)lowest;
	out->fd_highest = (int32_t)highest;
	return lowest <= highest;
}

static bool read_holder(json_t *from, struct holder *out)
{
	struct text command = text_json(json_object_get(from, "command"));
	json_t *pid = json_object_get(from, "pid");
	uint32_t n = 0;

	if (command.len >= sizeof(out->command) || (pid && !read_count(pid, INT32_MAX, &n)) ||
	    !read_count(json_object_get(from, "sockets"), UINT32_MAX, &out->sockets) ||
	    !read_descriptors(json_object_get(from, "descriptors"), out))
		return false;
	out->pid = (int32_t)n;
	for (size_t i = 0; i < command.len; i++)
		out->command[i] = command.s[i];
	return json_is_string(json_object_get(from, "command")) && out->sockets > 0 &&
	       (!pid || n > 0);
}

static bool read_holders(json_t *from, struct usage *out)
{
	json_t *list = json_object_get(from, "holders"), *others = json_object_get(from, "others");

	out->holders_known = list;
	if (json_array_size(list) > HOLDERS_MOST || (list && !json_is_array(list)))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!read_holder(json_array_get(list, i), &out->holders[i]))
			return false;
	return !others || read_count(others, UINT32_MAX, &out->held_by_others);
}

/* Absent: there are none, and nothing is guessed. */
static bool read_others(json_t *from, struct usage *out)
{
	json_t *n = json_object_get(from, "elsewhere"), *guessed = json_object_get(from, "guessed"),
	       *outside = json_object_get(from, "outside");

	out->guessed = json_is_true(guessed);
	return (!n || read_count(n, UINT16_MAX + 1, &out->elsewhere)) &&
	       (!outside || read_count(outside, UINT32_MAX, &out->outside)) &&
	       (!guessed || json_is_boolean(guessed));
}

const char *usage_of_json(json_t *from, struct usage *out)
{
	int protocol = choice_find(protocol_words, text_json(json_object_get(from, "protocol")));

	*out = (struct usage){
		.datagrams = protocol == PROTOCOL_UDP, .next_free_ns = -1, .all_free_ns = -1};
	if (!address_read(text_json(json_object_get(from, "from")), &out->local))
		return "from must be an address";
	if (!read_remote(from, out))
		return "to and port must be an address and a port";
	if (protocol < 0)
		return "protocol must be tcp or udp";
	if (!read_count(json_object_get(from, "usable"), UINT16_MAX + 1, &out->usable) ||
	    !read_count(json_object_get(from, "lower"), UINT32_MAX, &out->lower))
		return "usable and lower must be counts";
	if (!read_others(from, out))
		return "elsewhere and outside must be counts, and guessed a flag";
	if (!read_holders(from, out))
		return "holders must be processes, and others a count";
	return read_states(json_object_get(from, "states"), out) ? NULL
								 : "states must be counts by state";
}
