#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../../examples/README.md says, and both programs in ../../target/debug. Builds the wheel and
# tests that.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "clients/python: $*" >&2
    exit 1
}
environment() { # folder, requirements
    if ! cmp -s "$2" "$1/requirements.txt"; then
        python3 -m venv --clear "$1"
        "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2"
        cp "$2" "$1/requirements.txt"
    fi
}

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

environment "$TOOLS_DIR/python-generate" requirements-generate.txt
mkdir "$work/generated"
PATH=$TOOLS_DIR/python-generate/bin:$PATH ./generate.sh "$work/generated"
diff -r --exclude=__init__.py --exclude=__pycache__ "$work/generated" src/imageclassifier/_proto >&2 ||
    fail "the generated code does not match the contract: run generate.sh"

environment "$TOOLS_DIR/python-test" requirements-test.txt
test_python=$TOOLS_DIR/python-test/bin/python
"$test_python" -m build --wheel --no-isolation --outdir "$work" . >"$work/build.log" 2>&1 || fail "$(cat "$work/build.log")"
wheel=$(echo "$work"/*.whl)
"$test_python" -m twine check --strict "$wheel" >"$work/twine.log" 2>&1 || fail "$(cat "$work/twine.log")"

# As a user would: an empty environment, the wheel, the README's programs.
python3 -m venv "$work/empty"
"$work/empty/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
for licence in LICENSE-APACHE LICENSE-MIT; do
    cmp "../../$licence" "$work"/empty/lib/python*/site-packages/imageclassifier-*.dist-info/licenses/"$licence" ||
        fail "the wheel's $licence is not the repository's"
done
mkdir -p "$work/user/photos"
cp "$COFFEE" "$work/user/photo.jpg" # its format is read from its first bytes, not from its name
cp "$COFFEE" "$work/user/photos/a.jpg"
echo "not an image" >"$work/user/photos/b.jpg"
sed "s/localhost:50051/$SERVER/" README.md >"$work/README.md"
said=$(cd "$work/user" && "$work/empty/bin/python" "$OLDPWD/tests/quick_start.py" "$work/README.md" | sort)
[[ $said == [01].*$'\n'"a.jpg espresso"$'\n'"b.jpg IMAGE_FORMAT_UNKNOWN: "*$'\n'"efficientnet-lite0 0 serving"*"espresso"$'\n'"espresso 0.9"* ]] ||
    fail "the README's programs printed: $said"

# The program that the page shows, unchanged except for the server.
sed "s/localhost:50051/$SERVER/" examples/classify.py >"$work/classify.py"
said=$(cd "$work/user" && "$work/empty/bin/python" "$work/classify.py") || fail "examples/classify.py failed"
[[ $said == "espresso 9"* && $(wc -l <<<"$said") == 5 ]] || fail "examples/classify.py printed: $said"

# The wheel again, never the sources, with what only tests need.
"$test_python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
"$test_python" -m pip install --quiet --disable-pip-version-check "$wheel"
"$test_python" -m mypy src >&2
(cd "$work" && "$test_python" -m mypy --strict "$OLDPWD/tests/typed.py" >&2)
"$test_python" -m pytest -q -p no:cacheprovider tests

echo "clients/python: $(basename "$wheel")"
