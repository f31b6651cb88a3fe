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

# The program itself, unchanged except for the server.
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
sed "s/localhost:50051/$SERVER/" classify_http.sh >"$folder/classify_http.sh"
response=$(cd "$folder" && bash classify_http.sh 2>/dev/null) || fail "classify_http.sh failed"
[[ $response == '{"label":"espresso"'* ]] || fail "classify_http.sh: expected espresso, got: $response"
[ "$(grep -o '"index":' <<<"$response" | wc -l)" = 5 ] || fail "classify_http.sh: expected 5 predictions, got: $response"

for format in binary text; do
    output=$(./classify.sh "$COFFEE" "http://$SERVER" "$format") || fail "the $format request failed"
    [[ $output == "espresso 0.9"* ]] || fail "$format: expected espresso, got: $output"
    error=$(./classify.sh /dev/null "http://$SERVER" "$format" 2>&1) && fail "$format: the server accepted an empty image"
    [[ $error == *"grpc-status:"*3* ]] || fail "$format: expected grpc-status 3, got: $error"
    echo "curl, $format: $output"
done
output=$(./classify.sh "$COFFEE" "http://$SERVER" binary efficientnet-lite0) || fail "the request that names a model failed"
[[ $output == "espresso 0.9"* ]] || fail "expected espresso, got: $output"
error=$(./classify.sh "$COFFEE" "http://$SERVER" binary no-such-model 2>&1) && fail "the server has a model that does not exist"
[[ $error == *"grpc-status:"*5* ]] || fail "expected grpc-status 5, got: $error"
