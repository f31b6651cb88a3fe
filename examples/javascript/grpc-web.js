// The grpc-web package. Its protoc plugin generates one MethodDescriptor per method. This file writes the descriptor by hand
// and uses the message code of @bufbuild/protobuf instead.
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ClassifyImageRequestSchema,
  ClassifyImageResponseSchema,
  ImageClassifier,
} from "./gen/image_classifier_pb.js";

const PATH = `/${ImageClassifier.typeName}/${ImageClassifier.method.classify.name}`;

const METHOD = new MethodDescriptor(
  PATH,
  MethodType.UNARY,
  Object,
  Object,
  (request) => toBinary(ClassifyImageRequestSchema, request),
  (bytes) => fromBinary(ClassifyImageResponseSchema, bytes),
);

/** `format` is "binary", or "text" for base64 on the wire. */
export function classify(server, imageData, format = "binary") {
  const client = new GrpcWebClientBase({ format });
  return client.unaryCall(server + PATH, create(ClassifyImageRequestSchema, { imageData }), {}, METHOD);
}
