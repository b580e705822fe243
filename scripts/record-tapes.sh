#!/bin/sh
# record-tapes.sh PROG [NAME…] - records tests/data/tapes/NAME.tape: what a real run of each cause left behind, for
# tests/unit/test_tapes.c to judge anew. NAME is SCENARIO or SCENARIO.CASE of the library; or of tests/data/meddled, whose
# runs are disturbed from outside, for no scenario can ask for what happens then; or of tests/data/raced, which are run until
# luck has had it; or of tests/data/failing, which are no lesson of the library's; or of tests/data/mixed, of two causes at
# once. Without one, all are recorded.
#
# Of tcp-mem-orphans there is no tape: net.ipv4.tcp_mem and tcp_max_orphans are the whole machine's, and no namespace has
# them. `record-tapes.sh PROG tcp-mem-orphans` asks the kernel, and prints what it says.
#
# A tape is four parts, each below a line of its own, `--- PART`: the effective scenario, the run's part of result.json with
# the host, samples.jsonl and events.jsonl. What judge/ does not look at is left out, to keep them small: verdicts,
# effective values and settings (the scenario has them), destinations of a dump that has more than two.
set -eu
prog=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
to=tests/data/tapes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$to"

# The class is the scenario's name, or SCENARIO.CASE where a case shows it, or looks like it and is something else.
all='close-wait-leak client-per-request client-per-request.disposed body-not-read inherited-fd
	connection-per-request connection-per-request.wrong-fix pool-idle-cap pool-idle-cap.idle-timeout proxy-no-keepalive retry-storm
	retry-storm.pool-flushed syn-sent-blackhole.refused fin-wait-orphans fin-wait-orphans.closing
	syn-sent-blackhole live-saturation dead-peer-leak udp-socket-per-query udp-socket-per-query.bound
	udp-overshadow innocent-victim single-tuple-funnel tw-reuse-scope tw-reuse-scope.reuse-off timestamps-off
	tw-reuse-floor bind-before-connect wrong-reuse-option wrong-reuse-option.reuseport
	wrong-reuse-option.autobind-reuse no-port-one-dest no-port-one-dest.without hidden-bound-sockets
	bind-starvation bind-starvation.connect-starves-bind health-probes reserved-ports fixed-source-port
	fixed-source-port.alive dial-from-listen-port reserved-source-ports listener-in-range
	listener-in-range.reuseaddr widened-range test-port-picking foreign-time-wait foreign-time-wait.tw-reuse
	server-restart linux-snat linux-snat.more-clients linux-snat.datagrams gcp-cloud-nat
	gcp-cloud-nat.datagrams nat-collapse conntrack-full ipv6-disabled self-connect
	self-connect.server-starts slow-accept slow-accept.ports server-dies server-dies.vanishes tw-bucket-overflow
	tw-bucket-overflow.room-for-all server-side-time-wait load-generator cliff cliff.no-failure
	tw-reuse-loopback.two-hosts dead-peer container-range connection-per-request.some-leak
	innocent-victim.other-protocol fast-port-reuse fd-limit link-local-scope link-local-scope.wrong-scope proxy-loop
	proxy-loop.own-host bind-foreign-address ipv6-tentative snat-insert-race request-failed
	gate-missed route-lost'

# Two of the most frequent causes at once, a case each.
mixed=$(sed -n 's/^  \([a-z0-9]*-[a-z0-9]*\):$/pairs.\1/p' tests/data/mixed/pairs.yaml)

# As if on a host whose own range was widened, where the class is about that: a namespace of its own, and its sysctl.
host_of() {
	name=$1
	shift
	[ "$name" = container-range ] || { "$@"; return; }
	unshare -n sh -c 'echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' sh "$@"
}

# The namespace of the client of a run: another than ours, with the first address of the link. As a path; empty: it is none yet.
client_of() {
	home=$(readlink /proc/self/ns/net)
	for task in "/proc/$1/task/"*; do
		[ "$(readlink "$task/ns/net")" = "$home" ] && continue
		nsenter --net="$task/ns/net" ip -o address 2>/dev/null | grep -q ' 10\.77\.0\.1/\| fd77::1/' &&
			echo "$task/ns/net" && return
	done
}

# What happens to a run while it goes on.
# shellcheck disable=SC2016 # it is the inner shell that expands
meddle() {
	case $1 in
	bind-foreign-address)
		nsenter --net="$(client_of "$2")" sh -c '
			ip address del "$(ip -o -4 address show dev veth0 | awk "NR == 1 { print \$4 }")" dev veth0' ;;
	route-lost) nsenter --net="$(client_of "$2")" ip link set veth0 down ;;
	ipv6-tentative)
		nsenter --net="$(client_of "$2")" sh -c '
			a=$(ip -o -6 address show dev veth0 scope global | awk "NR == 1 { print \$4 }")
			echo 1 >/proc/sys/net/ipv6/conf/veth0/accept_dad
			ip address del "$a" dev veth0 && ip address add "$a" dev veth0' ;;
	esac
}

# A run that is meddled with once it has begun: its samples say so.
run_meddled() {
	"$prog" run "$2" -o "$work/run" >/dev/null &
	pid=$!
	until grep -qs '"opened":[1-9]' "$work/run/samples.jsonl"; do sleep 0.1; done
	meddle "$1" "$pid"
	wait "$pid" || [ $? -eq 1 ]
}

# A run that may not have what it is about: until it has, and then it is the tape.
TRIES=20
run_raced() {
	for try in $(seq $TRIES); do
		rm -rf "$work/run"
		"$prog" run "$1" -o "$work/run" >/dev/null || [ $? -eq 1 ]
		grep -q '"nat.insert_failed":[ ]*[1-9]' "$work/run/result.json" && return
		echo "  not in try $try" >&2
	done
	echo "no two SYNs met in $TRIES runs" >&2
	return 1
}

# What the kernel says where a namespace of its own asks for the limits of sockets' memory, and of orphans.
# shellcheck disable=SC2016 # it is the inner shell that expands
ask_for_memory() {
	unshare -n sh -c '
		for name in tcp_mem tcp_max_orphans; do
			file=/proc/sys/net/ipv4/$name
			[ -e "$file" ] && echo "net.ipv4.$name: there is one: record it" && continue
			cat "$file" 2>&1 | sed "s/^/net.ipv4.$name: /"
		done' 2>&1
}

record() {
	scenario=${1%%.*} case=base
	[ "$scenario" = "$1" ] || case=${1#*.}
	for file in scenarios tests/data/meddled tests/data/raced tests/data/failing tests/data/mixed; do
		file=$file/$scenario.yaml
		[ ! -e "$file" ] || break
	done
	rm -rf "$work/run"
	case $file in
	*/meddled/*) run_meddled "$1" "$file" ;;
	*/raced/*) run_raced "$file" ;;
	*) host_of "$1" "$prog" run "$file" --case "$case" -o "$work/run" >/dev/null || [ $? -eq 1 ] ;;
	esac
	{
		echo "--- scenario"
		"$prog" show "$file" --case "$case" --no-origins
		echo "--- result"
		python3 scripts/tape_part.py result <"$work/run/result.json"
		echo "--- samples"
		python3 scripts/tape_part.py samples <"$work/run/samples.jsonl"
		echo "--- events"
		cat "$work/run/events.jsonl"
	} >"$to/$1.tape"
}

# shellcheck disable=SC2086 # a word each
[ $# -gt 0 ] || set -- $all $mixed
for name; do
	echo "$name"
	case $name in
	tcp-mem-orphans) ask_for_memory ;;
	*) record "$name" ;;
	esac
done
