#!/bin/sh
# Runs each tests/golden/CASE/cmd and holds what it prints and returns against CASE/out.
# `golden.sh PROG --write` writes out anew.
set -u
prog=$(realpath "$1") write=${2:-}
cd "$(dirname "$0")/golden" || exit 2
PATH=$(dirname "$prog"):$PATH LC_ALL=C TZ=UTC NO_COLOR=1 COLUMNS=80
export PATH LC_ALL TZ NO_COLOR COLUMNS
unset CI GITHUB_ACTIONS
passed=0 failed=0 skipped=0
# By how much a timer may be late, its kernel's ticks say: what is kept is of 250 a second.
hz=$("$prog" doctor 2>/dev/null | awk '$1 == "hz" {print $2}')
for dir in */; do
	if [ "$write" != --write ] && [ "${hz:-250}" != 250 ] && grep -q '^  port life' "$dir/out"; then
		echo "golden: ${dir%/} skipped: this kernel has $hz ticks a second, not 250"
		skipped=$((skipped + 1))
		continue
	fi
	got=$(cd "$dir" && sh ./cmd 2>&1 </dev/null; echo "status $?")
	if [ "$write" = --write ]; then
		printf '%s\n' "$got" >"$dir/out"
	elif printf '%s\n' "$got" | diff -u "$dir/out" -; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
[ "$write" = --write ] && exit 0
echo "golden: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
