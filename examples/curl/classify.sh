#!/usr/bin/env bash
# classify.sh FILE [SERVER] [text]: one gRPC-Web call over HTTP/1.1 with curl, in binary or as text, which is base64.
set -euo pipefail
file=$1 server=${2:-http://localhost:50051} format=${3:-binary}

# The bytes of a whole number, as printf's %b reads them: as a varint, and in 4 bytes with the largest first.
varint() {
    local rest=$1
    for (( ; rest > 127; rest >>= 7)); do printf '\\x%02x' $((rest & 127 | 128)); done
    printf '\\x%02x' "$rest"
}
four_bytes() { printf '\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }

# A frame: flag 0, for a message; its length; the message, here ClassifyImageRequest { bytes image_data = 1; }.
frame() {
    local bytes field head
    bytes=$(wc -c <"$file")
    field='\x0a'$(varint "$bytes")
    head='\x00'$(four_bytes $((bytes + ${#field} / 4))) # four characters stand for one byte
    printf %b "$head$field"
    cat "$file"
}

reply=$(mktemp -d)
trap 'rm -r "$reply"' EXIT
post() {
    curl --silent --show-error --http1.1 --data-binary @- --dump-header "$reply/headers" \
        --header "content-type: $1" --header "accept: $1" "$server/imageclassifier.ImageClassifier/Classify"
}
case $format in
binary) frame | post application/grpc-web+proto >"$reply/frames" ;;
text) frame | base64 | tr -d '\n' | post application/grpc-web-text+proto | base64 -d >"$reply/frames" ;;
esac

# The trailers are the last frame, and text; a call that fails at once has them among its headers.
(grep -ahoE 'grpc-(status|message):.*' "$reply/headers" "$reply/frames" || head -n 1 "$reply/headers") |
    tr -d '\r' >"$reply/status"
if ! grep -qE '^grpc-status: ?0$' "$reply/status"; then
    cat "$reply/status" >&2
    exit 1
fi

# In the first frame, after its head of 5 bytes: ClassifyImageResponse { string label = 1; float confidence = 2; … }.
at() { od -An -v -j "$1" -N "$2" -t "$3" "$reply/frames" | tr -d ' '; }
label_bytes=$(at 6 1 u1)
echo "$(tail -c +8 "$reply/frames" | head -c "$label_bytes") $(at $((8 + label_bytes)) 4 fF)"
