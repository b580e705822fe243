#!/bin/sh
# Holds the JSON Schema of `lastport help schema` against the reader of scenario files: see tests/schema.py.
set -u
cd "$(dirname "$0")/.." || exit 2
python=/usr/bin/python3 # the one that Debian's packages are for
if ! $python -c 'import jsonschema, yaml' 2>/dev/null; then
	echo "skipped: the schema against the reader: $python lacks jsonschema or yaml (python3-jsonschema, python3-yaml)"
	echo "schema: 0 passed, 0 failed, 1 skipped"
	exit 0
fi
exec $python tests/schema.py "$1"
