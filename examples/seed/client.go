package main

import (
  "context"
  "log"
  "time"

  "google.golang.org/grpc"
  pb "path/to/generated/proto"
)

func main() {
  conn, err := grpc.Dial("localhost:50051", grpc.WithInsecure(), grpc.WithBlock())
  if err != nil {
    log.Fatalf("did not connect: %v", err)
  }
  defer conn.Close()
  c := pb.NewImageClassifierClient(conn)

  ctx, cancel := context.WithTimeout(context.Background(), time.Second)
  defer cancel()

  resp, err := c.Classify(ctx, &pb.ClassifyImageRequest{
    ImageData: []byte{}, // Здесь должны быть данные изображения
  })
  if err != nil {
    log.Fatalf("could not classify: %v", err)
  }
  log.Printf("Prediction: %s, Confidence: %.2f", resp.Label, resp.Confidence)
}
