#!/usr/bin/env bash
# Needs SERVER, COFFEE and TOOLS_DIR (see ../README.md). Uses Debian's packages of Go and gRPC, so it fetches no Go modules.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    echo "go: $*" >&2
    exit 1
}

[ "$SERVER" = localhost:50051 ] || fail "SERVER must be localhost:50051, the only address that the client in ../seed calls"

packages=(golang-go golang-google-genproto-dev golang-google-grpc-dev protoc-gen-go-1-3 protobuf-compiler)
if ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
export GO111MODULE=off GOPATH=$TOOLS_DIR/go:/usr/share/gocode GOCACHE=$TOOLS_DIR/go-build

stubs=$TOOLS_DIR/go/src/path/to/generated/proto # the import path in ../seed/client.go
mkdir -p "$stubs"
protoc -I../seed --go_out="plugins=grpc:$stubs" image_classifier.proto
go build -o "$TOOLS_DIR/go/bin/seed-client" ../seed/client.go
go build -o "$TOOLS_DIR/go/bin/classify" classify.go
rm "$stubs"/*
# Where this generator's library has the wrapper of known_score; newer ones need no such option.
wrappers=Mgoogle/protobuf/wrappers.proto=github.com/golang/protobuf/ptypes/wrappers
protoc -I../../proto --go_out="plugins=grpc,paths=source_relative,$wrappers:$stubs" image_classifier.proto
go build -o "$TOOLS_DIR/go/bin/stream" stream.go

# The seed client sends no image. Both clients wait for the server without a time limit.
error=$(timeout 20 "$TOOLS_DIR/go/bin/seed-client" 2>&1) && fail "the server accepted an empty image: $error"
[[ $error == *"could not classify: rpc error: code = InvalidArgument desc = "?* ]] ||
    fail "expected InvalidArgument with a message, got: $error"

output=$(timeout 20 "$TOOLS_DIR/go/bin/classify" "$COFFEE" "$SERVER" 2>&1) || fail "classify failed: $output"
[[ $output == *"Prediction: espresso, Confidence: 0.9"* ]] || fail "expected espresso, got: $output"

files=()
for _ in {1..40}; do files+=("$COFFEE" test.sh); done
results=$(timeout 60 "$TOOLS_DIR/go/bin/stream" "$SERVER" "${files[@]}" 2>&1) || fail "the stream failed: $results"
[ "$(grep -c "^$COFFEE: espresso 0.9" <<<"$results")" = 40 ] || fail "expected espresso 40 times, got: $results"
[ "$(grep -c "^test.sh: .*JPEG" <<<"$results")" = 40 ] || fail "expected 40 errors, got: $results"

echo "go: ${output#*Prediction: }; no image: ${error##*could not classify: }"
