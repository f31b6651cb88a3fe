#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR (see ../README.md).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "python: $*" >&2
    exit 1
}

. ../python_packages.sh
use_python_packages requirements.txt

stubs=$(mktemp -d)
trap 'rm -r "$stubs"' EXIT
for contract in ../seed ../../proto; do
    out=$stubs/$(basename "$contract")
    mkdir "$out"
    python -m grpc_tools.protoc -I"$contract" --python_out="$out" --grpc_python_out="$out" image_classifier.proto
done

one=$(PYTHONPATH=$stubs/seed python classify.py "$COFFEE" "$SERVER") || fail "classify.py failed with the first contract"
[[ $one == "espresso 9"* ]] || fail "expected espresso, got: $one"

top=$(PYTHONPATH=$stubs/proto python classify_top.py "$COFFEE" "$SERVER") || fail "classify_top.py failed"
[ "$(wc -l <<<"$top")" = 5 ] || fail "expected 5 predictions, got: $top"
[ "$(head -n 1 <<<"$top")" = "$one" ] || fail "the two programs disagree: $one; $top"

error=$(PYTHONPATH=$stubs/proto python classify_top.py /dev/null "$SERVER" 2>&1) && fail "the server accepted an empty image"
[[ $error == "INVALID_ARGUMENT IMAGE_EMPTY: "* ]] || fail "expected INVALID_ARGUMENT IMAGE_EMPTY, got: $error"

echo "python: $one"
