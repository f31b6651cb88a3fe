#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../README.md says. The same clients in a browser: ../../e2e.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "javascript: $*" >&2
    exit 1
}

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --silent --cache "$TOOLS_DIR/npm" --prefer-offline || fail "npm ci failed"
fi

[ -x "$TOOLS_DIR/venv/bin/pip" ] || python3 -m venv "$TOOLS_DIR/venv"
"$TOOLS_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r ../buf/requirements.txt
gen=$(mktemp -d)
copy=$(mktemp --tmpdir=. --suffix=.js)
trap 'rm -r "$gen" "$copy"' EXIT
PATH=$TOOLS_DIR/venv/bin:$PATH npm run --silent generate -- --output "$gen"
diff -r "$gen/gen" gen >&2 || fail "gen is not what the contract says: install buf and run npm run generate"

for client in connect grpc-web grpc-web-text fetch; do
    answer=$(node classify.js $client "$COFFEE" "http://$SERVER") || fail "$client failed"
    [[ $answer == "$client: espresso 9"* ]] || fail "expected espresso, got: $answer"
    refusal=$(node classify.js $client /dev/null "http://$SERVER" 2>&1) && fail "$client: an empty picture was taken"
    [[ $refusal == *empty* ]] || fail "expected to hear that the picture is empty, got: $refusal"
    echo "javascript, $answer"
done

# As it stands, about photo.jpg.
sed "s/localhost:50051/$SERVER/" classify_top.js >"$copy"
mkdir "$gen/pictures"
cp "$COFFEE" "$gen/pictures/photo.jpg"
top=$(program=$PWD/$copy && cd "$gen/pictures" && node "$program") || fail "classify_top.js failed"
[[ $top == "espresso 9"* ]] || fail "classify_top.js: expected espresso, got: $top"
[ "$(wc -l <<<"$top")" = 5 ] || fail "classify_top.js: asked for 5 predictions, got: $top"
