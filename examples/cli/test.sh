#!/usr/bin/env bash
# Needs SERVER and COFFEE, as ../README.md says, and the command line in ../../target/debug.
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

answer=$(bash classify.sh) || fail "the call failed"
[[ $answer == *'"label":"espresso"'* ]] || fail "expected espresso, got: $answer"
[ "$(grep -o '"index":' <<<"$answer" | wc -l)" = 5 ] || fail "asked for 5 predictions, got: $answer"
: >photo.jpg
refusal=$(bash classify.sh) && fail "an empty picture was taken"
[[ $refusal == *'"reason":"IMAGE_EMPTY"'* ]] || fail "expected IMAGE_EMPTY, got: $refusal"
echo "cli: espresso"
