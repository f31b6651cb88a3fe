import { crc32, deflateSync } from "node:zlib";

/** A valid PNG of 8-bit RGB whose pixels `colour` chooses. */
export function png(width: number, height: number, colour: (x: number, y: number) => [number, number, number]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows.set(colour(x, y), y * (1 + 3 * width) + 1 + 3 * x);
  }
  return assemble(header, rows);
}

/** A valid PNG of black pixels, one bit each. */
export function blackPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  return assemble(header, Buffer.alloc(height * (1 + Math.ceil(width / 8))));
}

/** A valid TIFF of 8-bit RGB pixels, all of one colour. */
export function tiff(width: number, height: number, colour: [number, number, number]): Buffer {
  const pixels = Buffer.alloc(3 * width * height, Buffer.from(colour));
  const [short, long] = [3, 4];
  const entries = [
    [256, short, 1, width],
    [257, short, 1, height],
    [258, short, 1, 8], // bits
    [259, short, 1, 1], // not compressed
    [262, short, 1, 2], // RGB
    [273, long, 1, 8], // where the pixels begin
    [277, short, 1, 3], // channels
    [278, short, 1, height],
    [279, long, 1, pixels.length],
  ];
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length);
  for (const [at, [tag, type, count, value]] of entries.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * at);
    directory.writeUInt16LE(type, 4 + 12 * at);
    directory.writeUInt32LE(count, 6 + 12 * at);
    directory.writeUInt32LE(value, 10 + 12 * at);
  }
  const header = Buffer.from("II*\0\0\0\0\0", "latin1");
  header.writeUInt32LE(8 + pixels.length, 4);
  return Buffer.concat([header, pixels, directory]);
}

/** An icon that holds this PNG of at most 256 x 256 pixels. */
export function ico(width: number, height: number, png: Buffer): Buffer {
  const header = Buffer.alloc(22);
  header.set([0, 0, 1, 0, 1, 0, width % 256, height % 256]);
  header.writeUInt16LE(1, 10);
  header.writeUInt16LE(32, 12);
  header.writeUInt32LE(png.length, 14);
  header.writeUInt32LE(22, 18);
  return Buffer.concat([header, png]);
}

/** What a WebP says about its orientation, and how. */
export interface Turn {
  /** 1 to 8, as Exif counts. */
  orientation: number;
  /** Whether the header announces the Exif chunk: readers ignore one that it does not announce. */
  isAnnounced?: boolean;
  /** Whether the chunk begins as in a JPEG, with "Exif\0\0". */
  hasPrefix?: boolean;
}

/** A WebP, as a browser writes it, with an Exif orientation added. */
export function turnedWebp(webp: Buffer, width: number, height: number, turn: Turn): Buffer {
  const { orientation, isAnnounced = true, hasPrefix = false } = turn;
  const exif = Buffer.concat([
    Buffer.from(hasPrefix ? "Exif\0\0" : "", "latin1"),
    Buffer.from("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0", "latin1"),
  ]);
  exif[exif.length - 7] = orientation;
  const head = Buffer.alloc(10);
  head[0] = isAnnounced ? 8 : 0;
  head.writeUIntLE(width - 1, 4, 3);
  head.writeUIntLE(height - 1, 7, 3);
  let chunks = webp.subarray(12);
  if (chunks.toString("latin1", 0, 4) === "VP8X") chunks = chunks.subarray(18);
  const body = Buffer.concat([Buffer.from("WEBP"), riffChunk("VP8X", head), chunks, riffChunk("EXIF", exif)]);
  return riffChunk("RIFF", body);
}

function riffChunk(kind: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from(kind), length, content, Buffer.alloc(content.length % 2)]);
}

function assemble(header: Buffer, rows: Buffer): Buffer {
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

function chunk(kind: string, bytes: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind), bytes]);
  const framed = Buffer.alloc(4 + body.length + 4);
  framed.writeUInt32BE(bytes.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), 4 + body.length);
  return framed;
}
