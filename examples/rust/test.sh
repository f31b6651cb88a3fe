#!/usr/bin/env bash
# Needs SERVER and COFFEE (see ../README.md).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "rust: $*" >&2
    exit 1
}

[ "$SERVER" = localhost:50051 ] || fail "SERVER must be localhost:50051, the only address that the program calls"

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
manifest=$(cd ../.. && pwd)/Cargo.toml # the tests compiled it so
classify() {
    (cd "$folder" && cargo run --quiet --locked --manifest-path "$manifest" --example classify)
}

output=$(classify) || fail "the program failed"
[[ $output == "espresso 9"* ]] || fail "expected espresso, got: $output"
[ "$(wc -l <<<"$output")" = 5 ] || fail "expected 5 predictions, got: $output"
: >"$folder/photo.jpg"
error=$(classify 2>&1) && fail "the server accepted an empty image"
[[ $error == *ImageEmpty* || $error == *empty* ]] || fail "expected an error about an empty image, got: $error"
echo "rust: ${output%%$'\n'*}"
