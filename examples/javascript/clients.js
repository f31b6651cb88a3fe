// The same request in four ways. Each function takes the server's URL and the encoded image, and returns a promise of
// { label, confidence, … }.
import * as connect from "./connect.js";
import * as fetch from "./fetch.js";
import * as grpcWeb from "./grpc-web.js";

export const clients = {
  connect: connect.classify,
  "grpc-web": grpcWeb.classify,
  "grpc-web-text": (server, imageData) => grpcWeb.classify(server, imageData, "text"),
  fetch: fetch.classify,
};
