#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../README.md says.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "buf: $*" >&2
    exit 1
}

[ -x "$TOOLS_DIR/venv/bin/pip" ] || python3 -m venv "$TOOLS_DIR/venv"
"$TOOLS_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
export PATH=$TOOLS_DIR/venv/bin:$PATH

services=$(buf curl --list-services --protocol grpc "http://$SERVER") || fail "no answer to reflection"
for service in imageclassifier.ImageClassifier grpc.health.v1.Health; do
    grep -qx "$service" <<<"$services" || fail "reflection does not list $service, only: $services"
done

# With reflection buf speaks HTTP/2; with the contract at hand, gRPC-Web over HTTP/1.1.
for flags in "--protocol grpc" "--protocol grpcweb --schema ../../proto"; do
    # shellcheck disable=SC2086 # several words
    answer=$(printf '{"imageData":"%s","topK":3}' "$(base64 -w 0 "$COFFEE")" |
        buf curl $flags --data @- "http://$SERVER/imageclassifier.ImageClassifier/Classify") || fail "$flags: the call failed"
    labels=$(grep -o '"label": *"[^"]*"' <<<"$answer") || fail "$flags: no label in $answer"
    [ "$(head -n 1 <<<"$labels")" = '"label": "espresso"' ] || fail "$flags: expected espresso, got: $labels"
    [ "$(wc -l <<<"$labels")" = 4 ] || fail "$flags: expected the label and 3 predictions, got: $labels"

    # shellcheck disable=SC2086
    refusal=$(buf curl $flags --data '{}' "http://$SERVER/imageclassifier.ImageClassifier/Classify" 2>&1) &&
        fail "$flags: an empty picture was taken"
    [[ $refusal == *'"code": "invalid_argument"'* ]] || fail "$flags: expected invalid_argument, got: $refusal"
    echo "buf, $flags: espresso"
done

# As it stands, about photo.jpg.
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp "$COFFEE" "$folder/photo.jpg"
sed "s/localhost:50051/$SERVER/" classify.sh >"$folder/classify.sh"
answer=$(cd "$folder" && bash classify.sh) || fail "classify.sh failed"
[ "$(grep -c '"index"' <<<"$answer")" = 5 ] || fail "classify.sh: asked for 5 predictions, got: $answer"
grep -q '"label": *"espresso"' <<<"$answer" || fail "classify.sh: expected espresso, got: $answer"
