/** From a model's files to the messages that publish it. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { PublishModelRequestSchema } from "./gen/image_classifier_pb.js";
import { bytes } from "./image.js";

/** The files of a folder that `imageclassifier train` wrote, by name. */
export type ModelFiles = Record<string, Blob | Uint8Array | ArrayBuffer>;

type Part = MessageInitShape<typeof PublishModelRequestSchema>;

/** Well below any server's limit for one message. */
const PART_BYTES_MAX = 1 << 20;

/** The files in parts. All are read before anything is sent. */
export async function publishParts(name: string, version: number, files: ModelFiles): Promise<Part[]> {
  const parts: Part[] = [];
  for (const [file, content] of Object.entries(files)) {
    const data = await bytes(content);
    for (let start = 0; start === 0 || start < data.length; start += PART_BYTES_MAX) {
      parts.push(create(PublishModelRequestSchema, { file, data: data.subarray(start, start + PART_BYTES_MAX) }));
    }
  }
  return parts.map((part, i) => (i === 0 ? { ...part, name, version: BigInt(version) } : part));
}
