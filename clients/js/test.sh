#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../../examples/README.md says, and both programs in ../../target/debug. In a browser:
# ../../e2e.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "clients/js: $*" >&2
    exit 1
}

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --silent --cache "$TOOLS_DIR/npm" --prefer-offline || fail "npm ci failed"
fi

. ../../examples/python_packages.sh
use_python_packages ../../examples/buf/requirements.txt
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
npm run --silent generate -- --output "$work"
diff -r "$work/src/gen" src/gen >&2 || fail "src/gen does not match the contract: install buf and run npm run generate"

npm run --silent build
node --test --test-reporter=dot test/*.test.js || node --test test/*.test.js || fail "tests failed"
node_modules/.bin/publint --strict >"$work/publint.log" || fail "$(cat "$work/publint.log")"

# As a user would: an empty project, the packed package, the README's programs.
npm pack --silent --pack-destination "$work" >/dev/null
mkdir "$work/user"
here=$PWD
cd "$work/user"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --cache "$TOOLS_DIR/npm" --prefer-offline "$work"/imageclassifier-*.tgz
[ ! -e node_modules/@connectrpc/connect-node ] || fail "a page's project got what only Node.js needs"
for licence in LICENSE-APACHE LICENSE-MIT; do
    cmp "$here/../../$licence" "node_modules/imageclassifier/$licence" || fail "the package's $licence is not the repository's"
done
node "$here/test/quick_start.js" "$here/README.md" "$SERVER"
cp "$COFFEE" photo.jpg # its format is read from its first bytes, not from its name
cp "$COFFEE" a.jpg
echo "not an image" >b.jpg
said=$(node 1.mjs)
[[ $said == "espresso 0.9"* ]] || fail "the README's first program printed: $said"
# The program that the page shows, unchanged except for the server.
sed "s/localhost:50051/$SERVER/" "$here/examples/classify.mjs" >classify.mjs
said=$(node classify.mjs) || fail "examples/classify.mjs failed"
[[ $said == "espresso 9"* && $(wc -l <<<"$said") == 5 ]] || fail "examples/classify.mjs printed: $said"
said=$(node 2.mjs | sort)
[[ $said == "a.jpg espresso"$'\n'"b.jpg "*JPEG* ]] || fail "the README's second program printed: $said"
said=$(node 3.mjs)
[[ $said == "efficientnet-lite0 espresso undefined"$'\n'1280 ]] || fail "the README's third program printed: $said"
npm install --silent --no-audit --no-fund --cache "$TOOLS_DIR/npm" --prefer-offline @connectrpc/connect-node@2.3.0
said=$(node 4.mjs)
[[ $said == "espresso" ]] || fail "the README's fourth program printed: $said"
cp "$here/test/typed.ts" typed.mts
"$here/node_modules/.bin/tsc" --noEmit --strict --target es2022 --module nodenext --skipLibCheck typed.mts ||
    fail "the types are wrong"

echo "clients/js: $(basename "$work"/imageclassifier-*.tgz)"
