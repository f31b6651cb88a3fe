/** From what a program has to what is sent. */
import { create } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { ClassifierError } from "./error.js";

/** The bytes of a JPEG, PNG, WebP, GIF or BMP; a `File` is a `Blob`. */
export type Picture = Blob | Uint8Array | ArrayBuffer;

/** A picture of several; `id` is a name of your own, of at most 256 bytes, that comes back with its result. */
export type Item = Picture | { id: string; picture: Picture };

export async function bytes(picture: Picture): Promise<Uint8Array> {
  if (picture instanceof Uint8Array) return picture;
  if (picture instanceof ArrayBuffer) return new Uint8Array(picture);
  if (picture instanceof Blob) return new Uint8Array(await picture.arrayBuffer());
  throw new TypeError("a picture is a Blob, a Uint8Array or an ArrayBuffer");
}

/** Its length, without reading it. */
export function length(picture: Picture): number {
  return picture instanceof Blob ? picture.size : picture.byteLength;
}

export function named(item: Item): { id: string; picture: Picture } {
  return "picture" in item ? item : { id: "", picture: item };
}

/** What the server would say to so large a picture, without sending it. */
export function tooLarge(imageBytes: number, imageBytesMax: number): ClassifierError {
  return new ClassifierError(
    `the picture has ${imageBytes} bytes, more than the ${imageBytesMax} that the server takes: send a smaller one`,
    {
      code: "INVALID_ARGUMENT",
      info: create(ErrorInfoSchema, {
        reason: "IMAGE_TOO_LARGE",
        metadata: { bytes: `${imageBytes}`, bytes_max: `${imageBytesMax}` },
      }),
    },
  );
}
