// Connect creates the client from the generated service description.
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ImageClassifier } from "./gen/image_classifier_pb.js";

export function classify(server, imageData) {
  const client = createClient(ImageClassifier, createGrpcWebTransport({ baseUrl: server }));
  return client.classify({ imageData });
}
