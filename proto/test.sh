#!/usr/bin/env bash
# The contract's care: its style, that it breaks no earlier one, and that docs/api.md says what it says.
# Needs TOOLS_DIR, as ../examples/README.md says. test.sh --write writes docs/api.md anew.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "proto: $*" >&2
    exit 1
}

[ -x "$TOOLS_DIR/venv/bin/pip" ] || python3 -m venv "$TOOLS_DIR/venv"
"$TOOLS_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r ../examples/buf/requirements.txt -r ../examples/python/requirements.txt
export PATH=$TOOLS_DIR/venv/bin:$PATH
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

buf build --as-file-descriptor-set --output "$work/descriptors.binpb"
python api.py <"$work/descriptors.binpb" >"$work/api.md"
if [ "${1:-}" = --write ]; then
    cp "$work/api.md" ../docs/api.md
    exit
fi

buf lint >&2 || fail "the style is off"
cp -r released ../examples/seed "$work" # buf takes no folder of a module of its own for another
for earlier in seed released; do
    buf breaking --against "$work/$earlier" >&2 || fail "breaks the clients of $earlier/"
done
# That the check sees something: one field with another number.
mkdir "$work/broken"
cp -r buf.yaml google "$work/broken"
sed 's/uint32 top_k = 2;/uint32 top_k = 9;/' image_classifier.proto >"$work/broken/image_classifier.proto"
buf breaking "$work/broken" --against "$work/released" >/dev/null 2>&1 && fail "a renumbered field was not noticed"

diff -u ../docs/api.md "$work/api.md" >&2 || fail "docs/api.md is stale: run TOOLS_DIR=/tmp/tools proto/test.sh --write"

echo "proto: style, compatibility, documentation"
