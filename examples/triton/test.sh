#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR (see ../README.md).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "triton: $*" >&2
    exit 1
}

venv=$TOOLS_DIR/venv-triton
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt

encoded=$("$venv/bin/python" encoded.py "$COFFEE" "$SERVER") || fail "encoded.py failed"
expected=$(curl --silent --fail --data-binary "@$COFFEE" "http://$SERVER/v1/classify" |
    "$venv/bin/python" -c 'import json, sys; a = json.load(sys.stdin); print(a["label"], format(a["confidence"], ".6f"))')
[ "$encoded" = "$expected" ] || fail "expected the same result as from Classify, $expected, got: $encoded"

prepared=$("$venv/bin/python" prepared.py "$COFFEE" "$SERVER") || fail "prepared.py failed"
[ "$(wc -l <<<"$prepared")" = 3 ] || fail "expected 3 classes, got: $prepared"
# Pillow rounds some pixels differently from the server.
[[ $prepared == "espresso 0.95"* ]] || fail "prepared.py: expected espresso 0.95, got: $prepared"

error=$("$venv/bin/python" encoded.py /dev/null "$SERVER" 2>&1) && fail "the server accepted an empty image"
[[ $error == "StatusCode.INVALID_ARGUMENT: "* ]] || fail "expected INVALID_ARGUMENT, got: $error"

echo "triton: $encoded"
