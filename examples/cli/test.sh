#!/usr/bin/env bash
# Needs SERVER and COFFEE (see ../README.md), and the command line in ../../target/debug.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "cli: $*" >&2
    exit 1
}

PATH=$(cd ../../target/debug && pwd):$PATH
export PATH
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
sed "s/localhost:50051/$SERVER/" classify.sh >"$folder/classify.sh"
cd "$folder"

output=$(bash classify.sh) || fail "classify.sh failed"
[[ $output == *'"label":"espresso"'* ]] || fail "expected espresso, got: $output"
[ "$(grep -o '"index":' <<<"$output" | wc -l)" = 5 ] || fail "expected 5 predictions, got: $output"
: >photo.jpg
error=$(bash classify.sh) && fail "the server accepted an empty image"
[[ $error == *'"reason":"IMAGE_EMPTY"'* ]] || fail "expected IMAGE_EMPTY, got: $error"
echo "cli: espresso"
