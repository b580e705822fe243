#!/bin/sh
# record-runs.sh PROG - records results/reference/leak and burst anew, the two runs whose summaries README shows, and
# writes README's blocks of them. For when a summary's figures or words have changed; times are this machine's, so let
# it be a quiet one, with nothing uncommitted: a result names the version that made it.
set -eu
prog=$(realpath "$1")
cd "$(dirname "$0")/.."
rm -rf results/reference/leak results/reference/burst

"$prog" run -q -o results/reference/leak scenarios/leak.yaml
# It is to fail, which is what README explains: status 1.
(
	cd tests/golden/readme-scenario
	status=0
	"$prog" run -q --case base -o ../../../results/reference/burst burst.yaml || status=$?
	[ "$status" -eq 1 ]
)
for name in readme-leak readme-burst; do
	(cd "tests/golden/$name" && PATH=$(dirname "$prog"):$PATH NO_COLOR=1 COLUMNS=80 sh ./cmd >out && echo "status 0" >>out)
done
sh tests/readme.sh --write
