// Prints the most probable classes of photo.jpg. Needs @connectrpc/connect, @connectrpc/connect-web and @bufbuild/protobuf,
// and the code that "buf generate" creates from the contract.
import { readFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ImageClassifier } from "./gen/image_classifier_pb.js";

const transport = createGrpcWebTransport({ baseUrl: "http://localhost:50051" });
const classifier = createClient(ImageClassifier, transport);
const imageData = await readFile("photo.jpg");
const { predictions } = await classifier.classify({ imageData, topK: 5 });
for (const { label, confidence } of predictions) {
  console.log(`${label} ${(100 * confidence).toFixed(1)} %`);
}
