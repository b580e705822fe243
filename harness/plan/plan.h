/* plan.h - a scenario and a host made into numbers: addresses, ports, descriptors, steps,
 * prediction.
 *
 * Input:  values only; nothing is read from the kernel.
 * Output: all that lab and driver need, decided: their loops hold no branch on the scenario's
 *         text.
 * Units:  ports in host order; times are nanoseconds.
 * Errors: what this host cannot give is ERR_HOST with both numbers; what cannot be is
 *         ERR_SCENARIO at its line.
 */
#pragma once

#include "base/address.h"
#include "base/option.h"
#include "host/host.h"
#include "plan/forecast.h"
#include "plan/shape.h"
#include "scenario/scenario.h"

/* topology nat: the gateway's addresses; what else is about it is in the scenario. */
struct nat_plan {
	struct address_list inside;  /* towards the clients: one */
	struct address_list outside; /* towards the servers; none: there is no gateway */
	struct carriage carriage;
	bool fits; /* each connection of the only load has a port of the gateway's, for sure */
};
/* Streams of what is drawn from the seed, so many a load. */
enum draw_stream { DRAW_RETRY, DRAW_END, DRAW_PAIR, DRAW_STREAMS };

enum {
	WORKERS_MOST = 64, /* of a load */
	BATCH_MOST = 64,   /* connections that a worker begins together, at most */
};

/* Addresses of one version of IP. The first of `link` is the client's way to all that is there. */
struct ends {
	struct address_list sources, servers;
	struct address_list link; /* what the server's end of the link has */
};

/* One load of the plan: workers of its own carry it out. */
struct load_plan {
	const struct load *load; /* borrowed */
	struct address_list sources, servers;
	struct shape shape;   /* when its connections are due, in an open model */
	uint32_t steps[ENDS]; /* of a connection that ends so; bit i: enum op i is part of it */
	uint32_t concurrency; /* connections under way at once; 0: open model, by the shape */
	int64_t round_ns; /* from one connection of a client to its next, on average, as the clock has it */
	uint32_t batch;	       /* operations a submit, at least, of a load that has so many to do */
	uint32_t slots;	       /* descriptors of the client, in all its rings */
	uint32_t sockets_most; /* by load.nofile; UINT32_MAX: as many as there are slots */
	uint32_t flows;	       /* of them, those that the driver has anything to do with yet */
	uint32_t workers;      /* threads that share it, see plan/split.h */
	uint32_t heirs;	       /* processes that keep what they inherit */
	uint32_t idle_most;   /* connections of a pair that are kept between requests; 0: no pool */
	uint32_t serves_most; /* requests on one connection */
	const char *whole;    /* why it cannot be shared; NULL: it can */
	struct option *options;	 /* set on each socket before its bind */
	uint64_t window_at;	 /* ports in use at a destination from which the window is set */
	struct budget budget;	 /* of the ports that its connections can have */
	struct port_range ports; /* those, reserved ones included */
	enum family family;
	enum bind_way bind; /* never BIND_NONE where bind_source is */
	uint32_t option_count;
	bool bind_source;  /* each connection binds its source */
	bool passes_squat; /* it has ports that squat or load.ballast holds, as if nobody did */
	bool foreign;	   /* and that is an address that the client lacks */
	bool ipv6_off; /* its addresses are of IPv6, which net.ipv6.conf.all.disable_ipv6 takes away */
	bool unscoped; /* its addresses are link-local, and load.scope is not theirs: none is opened */
	bool window;	      /* order: fast, and the kernel has IP_LOCAL_PORT_RANGE */
	bool requests;	      /* what it does with a connection is one: it sends, or has a pool */
	bool needs_rights;    /* one of its options does */
	bool meets_itself;    /* it may: each connection is looked at */
	bool closes_with_rst; /* load.options.linger: 0s */
	bool classic_sockets; /* prepared by system calls: io_uring here cannot do all it takes */
	/* bind() takes its ports, and connect() those of another: the sampler is told which these are */
	bool tells_ports;
};

/* What a run takes, at most; of memory about so much: a thread that was held up has SLACK_SLOTS more
 * of its connections open (plan/size.h). */
struct needs {
	uint64_t connections; /* begun in all */
	uint64_t holding;     /* a port at once, over all pairs */
	uint64_t slots;	      /* descriptors of connections, in the tables of the rings */
	uint64_t rings;
	uint64_t descriptors;	/* of RLIMIT_NOFILE: rings, listeners, lastport's own */
	uint64_t live, waiting; /* connections that are open, and closed ones, at once */
	uint64_t bytes;		/* of the kernel's memory, for the sockets of both ends */
	uint64_t buffered;	/* of them what requests and responses take */
};

/* What holds ports of the client from before the load until after it. */
struct squat_plan {
	enum family family;
	struct address address; /* of all that follows, and of what the scenario lists */
	uint32_t bind, unbound,
		ballast; /* sockets bound as by bind(address, 0), and those that fill the range */
	uint32_t listening, bound; /* of the widest load's ports they take so many, ballast apart */
	uint32_t early;		   /* sockets that are held before the load begins */
	uint32_t sockets;	   /* of these, and of the scenario's lists, in all */
	uint32_t ring_slots;	   /* of the tables that hold them */
};

struct plan {
	const struct scenario *scenario; /* borrowed */
	const struct host *host;	 /* borrowed */

	struct budget budget; /* of the load that has most ports: all share them */
	uint32_t widest;      /* that one, of loads */
	struct forecast forecast;
	struct squat_plan squat;
	struct port_range watched; /* the local ports that sockets are counted of */

	enum family family; /* of the first load; all have as many addresses as that */
	struct address_list sources, servers, server_link;
	struct ends other; /* of the other version of IP, if a load has it; else of no address */
	struct nat_plan nat;
	uint16_t *service_ports; /* that the far end listens on */
	uint16_t service_first;	 /* the first of them */
	uint32_t services;
	uint32_t destinations; /* servers × services */
	bool bind_source;      /* an unbound socket would not have the address it should */

	struct load_plan *loads; /* at least one */
	uint32_t load_count;
	uint32_t workers; /* of each load, as the user wishes; 0: as many as pay */
	uint64_t seed;	  /* of all that is drawn: base/draw.h */
	bool asks; /* connections carry requests: a far end that closes first answers them before */
	bool asks_datagrams; /* sockets of UDP do */
	/* Of those, whose answers may wait for server.delay at once. */
	uint32_t far_datagrams;

	uint32_t ring_slots;	/* the most that one ring's table may have */
	uint32_t far_slots;	/* descriptors of the far end; 0: it never accepts */
	uint32_t far_upstreams; /* connections that it may have to itself: server.behaviour: loop */
	uint32_t far_accepts;	/* of them wait at each listener for the next connection */
	uint32_t backlog;	/* of its listeners */
	uint32_t hash_entries;	/* of the private socket hash; 0: shared */
	uint32_t samples;	/* most samples a run can take */
	uint32_t dumps;		/* of them, those that have the socket table */
	uint32_t timed;		/* connects that are made to be timed, at most */
	struct needs needs;
};

/* What is made a plan of, and how. */
struct plan_wish {
	const struct scenario *scenario;
	const struct host *host;
	uint64_t seed;
	uint32_t workers; /* of each load, at most; 0: as many as pay */
};

bool plan_make_for(struct plan *out, const struct plan_wish *wish, struct arena *, struct err *);
bool plan_make(struct plan *out, const struct scenario *s, const struct host *host, uint64_t seed,
	       struct arena *, struct err *);

/* Fills in the forecast of its loads; the rest of it is there. */
void plan_foresee(struct plan *p);

uint32_t plan_workers(const struct plan *p); /* of all loads */

/* How the i-th connection of a load ends: drawn from the seed, by its number alone. */
enum end plan_end(const struct plan *p, const struct load_plan *lp, uint64_t i);
uint64_t plan_stream(const struct plan *p, const struct load_plan *lp, enum draw_stream which);
uint64_t plan_far_stream(const struct plan *p); /* of the far end's answers: server.jitter */

/* What the loads ask for in the end, together; 0: one of them is a closed loop. */
double plan_rate(const struct plan *p);

/* When the first of its loads begins, in ns since the run did. */
int64_t plan_start(const struct plan *p);

bool plan_has_requests(const struct plan *p); /* any of its loads */

/* Do loads have sockets of this family; do all of them? */
bool plan_has_family(const struct plan *p, enum family family);
bool plan_is_of_family(const struct plan *p, enum family family);

/* Does one of the loads? */
bool plan_speaks(const struct plan *p, enum protocol protocol);

/* Do sockets of UDP of any load send without a connect()? */
bool plan_is_unconnected(const struct plan *p);

/* Sockets of UDP that may have the addresses and ports of another, at most; 0: none may. */
uint32_t plan_overshadows(const struct plan *p);

/* Is every connection of the load, or of every load, refused at once, since the client lacks the address, has
 * no IPv6, or names it without its link? Then none has a port. */
bool load_binds_nowhere(const struct plan *p, const struct load_plan *lp);
bool plan_binds_nowhere(const struct plan *p);

/* May a connect fail later for want of an address: of one that the client lacks and may bind, or of
 * network.dad? How long it has a port until then nobody knows. */
bool plan_lacks_address(const struct plan *p);

/* Is a port of any load in use towards all destinations at once? */
bool plan_shares_ports(const struct plan *p);

/* Is the sampler told of any load's sockets that bind() took their ports? */
bool plan_tells_ports(const struct plan *p);

/* Destination i of the plan: its address and port. */
struct address plan_server(const struct plan *p, uint32_t dest); /* of the first load's family */
struct address plan_destination(const struct plan *p, const struct load_plan *lp, uint32_t dest);
uint16_t plan_service(const struct plan *p, uint32_t dest);

/* Books are kept of each destination by itself: of each version of IP, and of TCP and UDP, too, where
 * loads have both. */
struct account_place {
	struct address address;
	uint16_t port;
	bool datagrams;
};

uint32_t plan_accounts(const struct plan *p); /* how many */
uint32_t plan_account(const struct plan *p, const struct load_plan *lp, uint32_t dest);
struct account_place plan_account_place(const struct plan *p, uint32_t account);
