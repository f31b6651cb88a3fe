#!/usr/bin/env bash
# Needs SERVER and COFFEE, as ../README.md says.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "curl: $*" >&2
    exit 1
}

for format in binary text; do
    answer=$(./classify.sh "$COFFEE" "http://$SERVER" "$format") || fail "the $format call failed"
    [[ $answer == "espresso 0.9"* ]] || fail "$format: expected espresso, got: $answer"
    refusal=$(./classify.sh /dev/null "http://$SERVER" "$format" 2>&1) && fail "$format: an empty picture was taken"
    [[ $refusal == *"grpc-status:"*3* ]] || fail "$format: expected grpc-status 3, got: $refusal"
    echo "curl, $format: $answer"
done
