#include "packets.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_BYTES = 256, BLOCK_BYTES = 65536, RING_BYTES = FRAME_BYTES * PACKETS_MOST };

struct opening {
	const struct lab *lab;
	int fd;
};

/* In a thread of its own, which has the right to see packets until it ends. */
static void *open_inside(void *context)
{
	struct opening *o = context;
	struct err err = {0};
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	const int version = TPACKET_V2;
	const struct tpacket_req ring = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = RING_BYTES / BLOCK_BYTES,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = PACKETS_MOST,
	};
	int fd = lab_visit(o->lab, LAB_CLIENT, &err)
			 ? socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
			 : -1;

	link.sll_ifindex = (int)if_nametoindex("veth0");
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) == 0 &&
	    bind(fd, (struct sockaddr *)&link, sizeof(link)) == 0)
		o->fd = fd;
	else if (fd >= 0)
		close(fd);
	return NULL;
}

void packets_open(struct packets *p, struct help *h)
{
	struct opening o = {&h->lab, -1};
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, open_inside, &o) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(o.fd >= 0);
	p->fd = o.fd;
	p->count = 0;
	p->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, o.fd, 0);
	CU_ASSERT_FATAL(p->ring != MAP_FAILED);
}

static void set_ports(struct packet *p, uint16_t from_be, uint16_t to_be)
{
	p->port = ntohs(p->sent ? from_be : to_be);
	p->far = ntohs(p->sent ? to_be : from_be);
}

/* Is it one of TCP or UDP? */
static bool read_packet(struct packet *p, const unsigned char *bytes)
{
	struct iphdr ip;
	struct tcphdr tcp;
	struct udphdr udp;
	unsigned head, all;

	memcpy(&ip, bytes, sizeof(ip));
	head = ip.ihl * 4U;
	all = ntohs(ip.tot_len);
	p->protocol = ip.protocol;
	if (ip.version == 4 && ip.protocol == IPPROTO_TCP) {
		memcpy(&tcp, bytes + head, sizeof(tcp));
		p->flags = bytes[head + 13]; /* RFC 9293, 3.1 */
		p->bytes = (uint16_t)(all - head - tcp.doff * 4U);
		set_ports(p, tcp.source, tcp.dest);
		return true;
	}
	if (ip.version == 4 && ip.protocol == IPPROTO_UDP) {
		memcpy(&udp, bytes + head, sizeof(udp));
		p->bytes = (uint16_t)(ntohs(udp.len) - sizeof(udp));
		set_ports(p, udp.source, udp.dest);
		return true;
	}
	return false;
}

void packets_read(struct packets *p)
{
	struct tpacket_stats lost = {0};
	socklen_t len = sizeof(lost);

	for (size_t i = 0; i < PACKETS_MOST; i++) {
		const unsigned char *frame = (unsigned char *)p->ring + i * FRAME_BYTES;
		struct tpacket2_hdr head;
		struct sockaddr_ll link;
		struct packet *packet = &p->list[p->count];

		memcpy(&head, frame, sizeof(head));
		memcpy(&link, frame + TPACKET_ALIGN(sizeof(head)), sizeof(link));
		if (!(head.tp_status & TP_STATUS_USER))
			break;
		*packet = (struct packet){
			.t_ns = head.tp_sec * INT64_C(1000000000) + head.tp_nsec,
			.sent = link.sll_pkttype == PACKET_OUTGOING,
		};
		p->count += link.sll_protocol == htons(ETH_P_IP) &&
			    read_packet(packet, frame + head.tp_net);
	}
	CU_ASSERT_EQUAL(getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &len), 0);
	CU_ASSERT_EQUAL(lost.tp_drops, 0);
}

void packets_close(struct packets *p)
{
	munmap(p->ring, RING_BYTES);
	close(p->fd);
}

void packets_of(struct packets *p, struct drive *d)
{
	packets_open(p, &d->h);
	drive_plan(d);
	packets_read(p);
	packets_close(p);
}
