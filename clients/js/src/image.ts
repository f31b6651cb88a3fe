/** From what a program has to what is sent. */
import { create } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { ClassifierError } from "./error.js";

/** The bytes of an image file, such as JPEG or PNG. A `File` is a `Blob`. */
export type ImageInput = Blob | Uint8Array | ArrayBuffer;

/** @deprecated Use `ImageInput`. */
export type Picture = ImageInput;

/** An image with an id of your own, of at most 256 bytes, that comes back with its result. */
export interface NamedImage {
  id: string;
  image: ImageInput;
}

/** @deprecated Use `NamedImage`: `{ id, image }`. */
export interface NamedPicture {
  id: string;
  /** @deprecated Use `image`. */
  picture: ImageInput;
}

/** One image of several, with or without an id. */
export type Item = ImageInput | NamedImage | NamedPicture;

/** The bytes of `image`. Rejects with TypeError if it is not an image. */
export async function bytes(image: ImageInput): Promise<Uint8Array> {
  if (image instanceof Uint8Array) return image;
  if (image instanceof ArrayBuffer) return new Uint8Array(image);
  if (image instanceof Blob) return new Uint8Array(await image.arrayBuffer());
  throw new TypeError("an image must be a Blob, a Uint8Array or an ArrayBuffer");
}

/** Its length in bytes, without reading it. */
export function length(image: ImageInput): number {
  return image instanceof Blob ? image.size : image.byteLength;
}

/** `item` with its id, "" if it has none. */
export function named(item: Item): NamedImage {
  if ("image" in item) return item;
  if ("picture" in item) return { id: item.id, image: item.picture };
  return { id: "", image: item };
}

/** The error that the server would send for an image of this size, without sending the image. */
export function tooLarge(imageBytes: number, imageBytesMax: number): ClassifierError {
  return new ClassifierError(
    `the image has ${imageBytes} bytes, but the server accepts at most ${imageBytesMax}: send a smaller one`,
    {
      code: "INVALID_ARGUMENT",
      info: create(ErrorInfoSchema, {
        reason: "IMAGE_TOO_LARGE",
        metadata: { bytes: `${imageBytes}`, bytes_max: `${imageBytesMax}` },
      }),
    },
  );
}
