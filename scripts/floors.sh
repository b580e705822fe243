#!/bin/sh
# Prints every include in harness/ that harness/floors does not allow; exits 1 if there is one.
set -eu
cd "$(dirname "$0")/.."
grep -HnE '^#[[:space:]]*include' harness/*/* | awk -F'[:/]' '
	BEGIN {
		while ((getline line < "harness/floors") > 0) {
			if (line ~ /^#/) continue
			n = split(line, w, /[: ]+/)
			for (i = 1; i <= n; i++) { may[w[1], w[i]] = 1; named[w[i]] = 1 }
		}
	}
	{
		what = $0; sub(/^[^"<]*["<]/, "", what); sub(/[">].*/, "", what)
		if ($0 ~ /include *"/) { if (what !~ /\//) next; sub(/\/.*/, "", what) }
		else if (!(what in named)) next
	}
	!(($2, what) in may) { print $0 ": " $2 " may not include " what; bad = 1 }
	END { exit bad }'
