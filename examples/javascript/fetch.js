// Without a library: a gRPC-Web request is one POST. The bodies of request and response consist of frames: a flag (0 for a
// message, 0x80 for the trailers, which are text), a length in 4 bytes, and that many bytes.

export async function classify(server, imageData) {
  const response = await fetch(`${server}/imageclassifier.ImageClassifier/Classify`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: frame(encode(imageData)),
  });
  let message;
  let status = response.headers; // replaced by the trailers, unless the server rejected the request at once
  for (const { flag, bytes } of frames(await response.arrayBuffer())) {
    if (flag === 0) message = bytes;
    else status = new Headers(lines(bytes));
  }
  if (status.get("grpc-status") !== "0") {
    const reason = decodeURIComponent(status.get("grpc-message") ?? `HTTP ${response.status}`);
    throw new Error(`${reason} (grpc-status ${status.get("grpc-status")})`);
  }
  return decode(message);
}

/** ClassifyImageRequest: image_data is field 1 with wire type 2. Encodes (1 << 3) | 2, the length as a varint, and the bytes. */
function encode(imageData) {
  const length = [];
  let rest = imageData.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return concat([0x0a, ...length, rest], imageData);
}

/** ClassifyImageResponse starts with the label, field 1, and the confidence, field 2: four bytes, little-endian. */
function decode(message) {
  const end = 2 + message[1];
  return {
    label: new TextDecoder().decode(message.subarray(2, end)),
    confidence: view(message).getFloat32(end + 1, true),
  };
}

function frame(message) {
  const header = new Uint8Array(5);
  view(header).setUint32(1, message.length);
  return concat(header, message);
}

function* frames(buffer) {
  for (let rest = new Uint8Array(buffer); rest.length > 0; ) {
    const end = 5 + view(rest).getUint32(1);
    yield { flag: rest[0], bytes: rest.subarray(5, end) };
    rest = rest.subarray(end);
  }
}

/** Parses "name: value" lines into pairs. */
function lines(bytes) {
  const text = new TextDecoder().decode(bytes).trim();
  return text.split("\r\n").map((line) => {
    const [name, ...value] = line.split(":");
    return [name, value.join(":").trim()];
  });
}

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset);

function concat(first, second) {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
