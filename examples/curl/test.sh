#!/usr/bin/env bash
# Needs SERVER and COFFEE (see ../README.md).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "curl: $*" >&2
    exit 1
}

for options in "--http1.1 --data-binary @" "--http2-prior-knowledge --data-binary @" "--form image=@"; do
    # shellcheck disable=SC2086 # $options has several words
    response=$(curl --silent --fail $options"$COFFEE" "http://$SERVER/v1/classify?top_k=3") || fail "$options failed"
    [[ $response == '{"label":"espresso","confidence":0.9'* ]] || fail "$options: expected espresso, got: $response"
    # shellcheck disable=SC2086
    error=$(curl --silent $options/dev/null --write-out ' %{http_code}' "http://$SERVER/v1/classify")
    [[ $error == *'"reason":"IMAGE_EMPTY"'*' 400' ]] || fail "$options: expected 400 and IMAGE_EMPTY, got: $error"
    echo "curl, $options: ${response:0:48}"
done

for format in binary text; do
    output=$(./classify.sh "$COFFEE" "http://$SERVER" "$format") || fail "the $format request failed"
    [[ $output == "espresso 0.9"* ]] || fail "$format: expected espresso, got: $output"
    error=$(./classify.sh /dev/null "http://$SERVER" "$format" 2>&1) && fail "$format: the server accepted an empty image"
    [[ $error == *"grpc-status:"*3* ]] || fail "$format: expected grpc-status 3, got: $error"
    echo "curl, $format: $output"
done
