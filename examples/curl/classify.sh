#!/usr/bin/env bash
# classify.sh FILE [SERVER] [binary|text] [MODEL]: one gRPC-Web request over HTTP/1.1 with curl, in binary or as text (base64).
set -euo pipefail
file=$1 server=${2:-http://localhost:50051} format=${3:-binary} model=${4:-}

# An integer as escapes for printf's %b: varint, and 4 bytes in big-endian order.
varint() {
    local rest=$1
    for (( ; rest > 127; rest >>= 7)); do printf '\\x%02x' $((rest & 127 | 128)); done
    printf '\\x%02x' "$rest"
}
four_bytes() { printf '\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }

# A frame: the flag 0 for a message, its length, and the message, here ClassifyImageRequest { bytes image_data = 1;
# string model = 3; }.
frame() {
    local bytes field name='' head
    bytes=$(wc -c <"$file")
    field='\x0a'$(varint "$bytes")
    [ -z "$model" ] || name='\x1a'$(varint ${#model})
    head='\x00'$(four_bytes $((bytes + (${#field} + ${#name}) / 4 + ${#model}))) # four characters stand for one byte
    printf %b "$head$field"
    cat "$file"
    printf %b "$name$model"
}

response=$(mktemp -d)
trap 'rm -r "$response"' EXIT
post() {
    curl --silent --show-error --http1.1 --data-binary @- --dump-header "$response/headers" \
        --header "content-type: $1" --header "accept: $1" "$server/imageclassifier.ImageClassifier/Classify"
}
case $format in
binary) frame | post application/grpc-web+proto >"$response/frames" ;;
text) frame | base64 | tr -d '\n' | post application/grpc-web-text+proto | base64 -d >"$response/frames" ;;
esac

# The trailers are text in the last frame. If the server rejects a request at once, they are among the headers.
(grep -ahoE 'grpc-(status|message):.*' "$response/headers" "$response/frames" || head -n 1 "$response/headers") |
    tr -d '\r' >"$response/status"
if ! grep -qE '^grpc-status: ?0$' "$response/status"; then
    cat "$response/status" >&2
    exit 1
fi

# The first frame has 5 bytes of header, then ClassifyImageResponse { string label = 1; float confidence = 2; … }.
at() { od -An -v -j "$1" -N "$2" -t "$3" "$response/frames" | tr -d ' '; }
label_bytes=$(at 6 1 u1)
echo "$(tail -c +8 "$response/frames" | head -c "$label_bytes") $(at $((8 + label_bytes)) 4 fF)"
