#!/bin/sh
# record-tapes.sh PROG [NAME…] - records tests/data/tapes/NAME.tape: what a real run of each cause left behind, for
# tests/unit/test_tapes.c to judge anew. NAME is SCENARIO or SCENARIO.CASE of the library; without one, all are recorded.
#
# A tape is four parts, each below a line of its own, `--- PART`: the effective scenario, the run's part of result.json with
# the host, samples.jsonl and events.jsonl. What judge/ does not look at is left out, to keep them small: verdicts,
# effective values and settings (the scenario has them), destinations of a dump but for the first.
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
	connection-per-request connection-per-request.wrong-fix pool-idle-cap proxy-no-keepalive retry-storm
	retry-storm.pool-flushed syn-sent-blackhole.refused fin-wait-orphans fin-wait-orphans.closing
	syn-sent-blackhole live-saturation dead-peer-leak udp-socket-per-query udp-socket-per-query.bound
	udp-overshadow innocent-victim single-tuple-funnel tw-reuse-scope tw-reuse-scope.reuse-off timestamps-off
	tw-reuse-floor bind-before-connect wrong-reuse-option wrong-reuse-option.reuseport
	wrong-reuse-option.autobind-reuse no-port-one-dest no-port-one-dest.without hidden-bound-sockets
	bind-starvation bind-starvation.connect-starves-bind health-probes reserved-ports fixed-source-port
	fixed-source-port.alive dial-from-listen-port reserved-source-ports listener-in-range
	listener-in-range.reuseaddr widened-range test-port-picking foreign-time-wait foreign-time-wait.tw-reuse
	server-restart linux-snat linux-snat.more-clients conntrack-full ipv6-disabled self-connect
	self-connect.server-starts slow-accept slow-accept.ports server-dies server-dies.vanishes tw-bucket-overflow
	tw-bucket-overflow.room-for-all server-side-time-wait load-generator latency-cliff latency-cliff.no-failure
	tw-reuse-loopback.two-hosts dead-peer container-range'

# As if on a host whose own range was widened, where the class is about that: a namespace of its own, and its sysctl.
host_of() {
	name=$1
	shift
	[ "$name" = container-range ] || { "$@"; return; }
	unshare -n sh -c 'echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' sh "$@"
}

record() {
	scenario=${1%%.*} case=base
	[ "$scenario" = "$1" ] || case=${1#*.}
	file=scenarios/$scenario.yaml
	rm -rf "$work/run"
	host_of "$1" "$prog" run "$file" --case "$case" -o "$work/run" >/dev/null || [ $? -eq 1 ]
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
[ $# -gt 0 ] || set -- $all
for name; do
	echo "$name"
	record "$name"
done
