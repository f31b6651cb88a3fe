#!/usr/bin/env bash
# Checks the contract: its style, its compatibility with earlier releases, and that docs/api.md is up to date.
# Needs TOOLS_DIR (see ../examples/README.md). test.sh --write updates docs/api.md.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "proto: $*" >&2
    exit 1
}

. ../examples/python_packages.sh
use_python_packages ../examples/buf/requirements.txt ../examples/python/requirements.txt
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

buf build --as-file-descriptor-set --output "$work/descriptors.binpb"
python api.py <"$work/descriptors.binpb" >"$work/api.md"
if [ "${1:-}" = --write ]; then
    cp "$work/api.md" ../docs/api.md
    exit
fi

buf lint >&2 || fail "buf lint found style errors"
cp -r released ../examples/seed "$work" # buf does not accept a folder inside the module as another input
for earlier in seed released; do
    buf breaking --against "$work/$earlier" >&2 || fail "the contract breaks clients of $earlier/"
done
# The check can fail: one field gets another number.
mkdir "$work/broken"
cp -r buf.yaml google "$work/broken"
sed 's/uint32 top_k = 2;/uint32 top_k = 9;/' image_classifier.proto >"$work/broken/image_classifier.proto"
buf breaking "$work/broken" --against "$work/released" >/dev/null 2>&1 && fail "buf did not detect a renumbered field"

diff -u ../docs/api.md "$work/api.md" >&2 || fail "docs/api.md is stale: run TOOLS_DIR=/tmp/tools proto/test.sh --write"

echo "proto: style, compatibility and documentation are correct"
