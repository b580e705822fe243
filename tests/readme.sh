#!/bin/sh
# Holds every block of README.md that stands below a line <!-- golden: CASE --> against tests/golden/CASE/out, so that what
# the page shows is what users see. `readme.sh --write` puts the goldens in.
set -eu
cd "$(dirname "$0")/.."
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
awk '
	/^<!-- golden: .* -->$/ { name = $3; print; next }
	name != "" && /^```/ && !inside {
		print
		inside = 1
		file = "tests/golden/" name "/out"
		while ((getline line < file) > 0)
			if (line !~ /^status [0-9]+$/) print line
		close(file)
		next
	}
	inside && /^```$/ { inside = 0; name = ""; print; next }
	!inside { print }
' README.md >"$copy"
blocks=$(grep -c '^<!-- golden: ' README.md)
if [ "${1:-}" = --write ]; then
	cat "$copy" >README.md
elif diff -u README.md "$copy"; then
	echo "readme: $blocks passed, 0 failed, 0 skipped"
else
	echo "readme: 0 passed, $blocks failed, 0 skipped"
	exit 1
fi
