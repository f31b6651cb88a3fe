#!/usr/bin/env bash
# Needs SERVER and COFFEE, as ../README.md says.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "curl: $*" >&2
    exit 1
}

for way in "--http1.1 --data-binary @" "--http2-prior-knowledge --data-binary @" "--form image=@"; do
    # shellcheck disable=SC2086 # options
    answer=$(curl --silent --fail $way"$COFFEE" "http://$SERVER/v1/classify?top_k=3") || fail "$way failed"
    [[ $answer == '{"label":"espresso","confidence":0.9'* ]] || fail "$way: expected espresso, got: $answer"
    # shellcheck disable=SC2086
    refusal=$(curl --silent $way/dev/null --write-out ' %{http_code}' "http://$SERVER/v1/classify")
    [[ $refusal == *'"reason":"IMAGE_EMPTY"'*' 400' ]] || fail "$way: expected 400 and IMAGE_EMPTY, got: $refusal"
    echo "curl, $way: ${answer:0:48}"
done

for format in binary text; do
    answer=$(./classify.sh "$COFFEE" "http://$SERVER" "$format") || fail "the $format call failed"
    [[ $answer == "espresso 0.9"* ]] || fail "$format: expected espresso, got: $answer"
    refusal=$(./classify.sh /dev/null "http://$SERVER" "$format" 2>&1) && fail "$format: an empty picture was taken"
    [[ $refusal == *"grpc-status:"*3* ]] || fail "$format: expected grpc-status 3, got: $refusal"
    echo "curl, $format: $answer"
done
