#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR (see ../README.md).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "buf: $*" >&2
    exit 1
}

. ../python_packages.sh
use_python_packages requirements.txt

services=$(buf curl --list-services --protocol grpc "http://$SERVER") || fail "server reflection failed"
for service in imageclassifier.ImageClassifier grpc.health.v1.Health; do
    grep -qx "$service" <<<"$services" || fail "reflection does not list $service, but: $services"
done

# With reflection buf uses HTTP/2. With the contract it can use gRPC-Web over HTTP/1.1.
for flags in "--protocol grpc" "--protocol grpcweb --schema ../../proto"; do
    # shellcheck disable=SC2086 # $flags has several words
    response=$(printf '{"imageData":"%s","topK":3}' "$(base64 -w 0 "$COFFEE")" |
        buf curl $flags --data @- "http://$SERVER/imageclassifier.ImageClassifier/Classify") || fail "$flags: the request failed"
    labels=$(grep -o '"label": *"[^"]*"' <<<"$response") || fail "$flags: no label in $response"
    [ "$(head -n 1 <<<"$labels")" = '"label": "espresso"' ] || fail "$flags: expected espresso, got: $labels"
    [ "$(wc -l <<<"$labels")" = 4 ] || fail "$flags: expected the label and 3 predictions, got: $labels"

    # shellcheck disable=SC2086
    error=$(buf curl $flags --data '{}' "http://$SERVER/imageclassifier.ImageClassifier/Classify" 2>&1) &&
        fail "$flags: the server accepted an empty image"
    [[ $error == *'"code": "invalid_argument"'* ]] || fail "$flags: expected invalid_argument, got: $error"
    echo "buf, $flags: espresso"
done

# The program itself, unchanged except for the server.
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
sed "s/localhost:50051/$SERVER/" classify.sh >"$folder/classify.sh"
response=$(cd "$folder" && bash classify.sh) || fail "classify.sh failed"
[ "$(grep -c '"index"' <<<"$response")" = 5 ] || fail "classify.sh: expected 5 predictions, got: $response"
grep -q '"label": *"espresso"' <<<"$response" || fail "classify.sh: expected espresso, got: $response"
