#!/usr/bin/env bash
# Needs SERVER and COFFEE, as ../README.md says.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "rust: $*" >&2
    exit 1
}

[ "$SERVER" = localhost:50051 ] || fail "the program asks localhost:50051 and no other, so SERVER must be that"

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
manifest=$(cd ../.. && pwd)/Cargo.toml # the tests compiled it so
classify() {
    (cd "$folder" && cargo run --quiet --locked --manifest-path "$manifest" --example classify)
}

answer=$(classify) || fail "the call failed"
[[ $answer == "espresso 9"* ]] || fail "expected espresso, got: $answer"
[ "$(wc -l <<<"$answer")" = 5 ] || fail "asked for 5 predictions, got: $answer"
: >"$folder/photo.jpg"
refusal=$(classify 2>&1) && fail "an empty picture was taken"
[[ $refusal == *ImageEmpty* || $refusal == *empty* ]] || fail "expected to hear that the picture is empty, got: $refusal"
echo "rust: ${answer%%$'\n'*}"
