#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR (see ../README.md). ../../e2e tests the same clients in a browser.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "javascript: $*" >&2
    exit 1
}

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --silent --cache "$TOOLS_DIR/npm" --prefer-offline || fail "npm ci failed"
fi

. ../python_packages.sh
use_python_packages ../buf/requirements.txt
gen=$(mktemp -d)
copy=$(mktemp --tmpdir=. --suffix=.js)
trap 'rm -r "$gen" "$copy"' EXIT
npm run --silent generate -- --output "$gen"
diff -r "$gen/gen" gen >&2 || fail "gen does not match the contract: install buf and run npm run generate"

for client in connect grpc-web grpc-web-text fetch; do
    output=$(node classify.js $client "$COFFEE" "http://$SERVER") || fail "$client failed"
    [[ $output == "$client: espresso 9"* ]] || fail "expected espresso, got: $output"
    error=$(node classify.js $client /dev/null "http://$SERVER" 2>&1) && fail "$client: the server accepted an empty image"
    [[ $error == *empty* ]] || fail "expected an error about an empty image, got: $error"
    echo "javascript, $output"
done

# The program itself, unchanged except for the server.
sed "s/localhost:50051/$SERVER/" classify_top.js >"$copy"
mkdir "$gen/images"
cp "$COFFEE" "$gen/images/photo.jpg"
top=$(program=$PWD/$copy && cd "$gen/images" && node "$program") || fail "classify_top.js failed"
[[ $top == "espresso 9"* ]] || fail "classify_top.js: expected espresso, got: $top"
[ "$(wc -l <<<"$top")" = 5 ] || fail "classify_top.js: expected 5 predictions, got: $top"
