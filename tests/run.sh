#!/bin/sh
# Runs each program named, adds up their last lines ("unit: N passed, N failed, N skipped") and ends with the total.
# One that dies before that line, or whose status and count disagree, is a failure.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
for program in "$@"; do
	{ sh -c "$program" 2>&1; echo "status $?"; } | tee "$log" | sed '$d'
	status=$(tail -n 1 "$log"); status=${status#status }
	last=$(tail -n 2 "$log" | head -n 1)
	# shellcheck disable=SC2086 # words
	set -- $(printf '%s\n' "$last" | sed -n 's/^[a-z_-]*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p') "$@"
	case $last in
	*:\ *\ passed,\ *\ failed,\ *\ skipped)
		p=$1 f=$2 s=$3
		shift 3
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		if [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
			echo "run.sh: $program: status $status, though no test failed"
			failed=$((failed + 1))
		elif [ "$f" -ne 0 ] && [ "$status" -eq 0 ]; then
			echo "run.sh: $program: status 0, though $f failed"
		fi
		;;
	*)
		echo "run.sh: $program: ended with status $status before it counted its tests"
		failed=$((failed + 1))
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
