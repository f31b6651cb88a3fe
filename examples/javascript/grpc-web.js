// The grpc-web package. Its code generator is a protoc plugin; what that would write is one MethodDescriptor for each
// method, and the message code of @bufbuild/protobuf fits into it.
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
