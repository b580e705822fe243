#!/bin/sh
# Runs each program named, adds up their last lines ("unit: N passed, N failed, N skipped") and ends with the total.
# One that dies before that line, or whose status and count disagree, is a failure.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
for program in "$@"; do
	{ sh -c "$program" 2>&1; echo "status $?"; } | tee "$log" | sed '$d'
	status=$(tail -n 1 "$log")
	counts=$(tail -n 2 "$log" | sed -n '1s/^[a-z_-]*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	if [ -z "$counts" ]; then
		echo "run.sh: $program: ended with $status before it counted its tests"
		failed=$((failed + 1))
		continue
	fi
	read -r p f s <<-EOT
		$counts
	EOT
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -eq 0 ] && [ "$status" != "status 0" ]; then
		echo "run.sh: $program: ended with $status, though no test failed"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
