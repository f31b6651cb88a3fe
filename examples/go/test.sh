#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR, as ../README.md says. Debian's packages of Go and gRPC: no Go module is fetched.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "go: $*" >&2
    exit 1
}

[ "$SERVER" = localhost:50051 ] || fail "the client in ../seed asks localhost:50051 and no other, so SERVER must be that"

packages=(golang-go golang-google-genproto-dev golang-google-grpc-dev protoc-gen-go-1-3 protobuf-compiler)
if ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
export GO111MODULE=off GOPATH=$TOOLS_DIR/go:/usr/share/gocode GOCACHE=$TOOLS_DIR/go-build

stubs=$TOOLS_DIR/go/src/path/to/generated/proto # as the client in ../seed imports them
mkdir -p "$stubs"
protoc -I../seed --go_out="plugins=grpc:$stubs" image_classifier.proto
go build -o "$TOOLS_DIR/go/bin/seed-client" ../seed/client.go
go build -o "$TOOLS_DIR/go/bin/classify" classify.go
rm "$stubs"/*
protoc -I../../proto --go_out="plugins=grpc,paths=source_relative:$stubs" image_classifier.proto
go build -o "$TOOLS_DIR/go/bin/stream" stream.go

# It sends no picture at all. Both clients wait for a server for ever.
refusal=$(timeout 20 "$TOOLS_DIR/go/bin/seed-client" 2>&1) && fail "an empty picture was taken: $refusal"
[[ $refusal == *"could not classify: rpc error: code = InvalidArgument desc = "?* ]] ||
    fail "expected InvalidArgument and why, got: $refusal"

answer=$(timeout 20 "$TOOLS_DIR/go/bin/classify" "$COFFEE" "$SERVER" 2>&1) || fail "no answer: $answer"
[[ $answer == *"Prediction: espresso, Confidence: 0.9"* ]] || fail "expected espresso, got: $answer"

pictures=()
for _ in {1..40}; do pictures+=("$COFFEE" test.sh); done
said=$(timeout 60 "$TOOLS_DIR/go/bin/stream" "$SERVER" "${pictures[@]}" 2>&1) || fail "the stream failed: $said"
[ "$(grep -c "^$COFFEE: espresso 0.9" <<<"$said")" = 40 ] || fail "expected espresso 40 times, got: $said"
[ "$(grep -c "^test.sh: .*JPEG" <<<"$said")" = 40 ] || fail "expected 40 refusals, got: $said"

echo "go: ${answer#*Prediction: }; no picture: ${refusal##*could not classify: }"
