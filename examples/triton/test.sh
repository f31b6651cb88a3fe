#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../README.md says.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "triton: $*" >&2
    exit 1
}

venv=$TOOLS_DIR/venv-triton
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt

encoded=$("$venv/bin/python" encoded.py "$COFFEE" "$SERVER") || fail "the call with a file failed"
expected=$(curl --silent --fail --data-binary "@$COFFEE" "http://$SERVER/v1/classify" |
    "$venv/bin/python" -c 'import json, sys; a = json.load(sys.stdin); print(a["label"], format(a["confidence"], ".6f"))')
[ "$encoded" = "$expected" ] || fail "expected what Classify answers, $expected, got: $encoded"

prepared=$("$venv/bin/python" prepared.py "$COFFEE" "$SERVER") || fail "the call with numbers failed"
[ "$(wc -l <<<"$prepared")" = 3 ] || fail "asked for 3 classes, got: $prepared"
# Pillow rounds some pixels otherwise than the server does.
[[ $prepared == "espresso 0.95"* ]] || fail "prepared here, the picture gets another answer: $prepared"

refusal=$("$venv/bin/python" encoded.py /dev/null "$SERVER" 2>&1) && fail "an empty picture was taken"
[[ $refusal == "StatusCode.INVALID_ARGUMENT: "* ]] || fail "expected INVALID_ARGUMENT, got: $refusal"

echo "triton: $encoded"
