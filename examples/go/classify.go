// classify FILE [SERVER]: classifies an image and prints the most probable class.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	pb "path/to/generated/proto"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: classify FILE [SERVER]")
	}
	server := "localhost:50051"
	if len(os.Args) > 2 {
		server = os.Args[2]
	}
	imageData, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}

	conn, err := grpc.Dial(server, grpc.WithInsecure(), grpc.WithBlock())
	if err != nil {
		log.Fatalf("did not connect: %v", err)
	}
	defer conn.Close()
	c := pb.NewImageClassifierClient(conn)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	resp, err := c.Classify(ctx, &pb.ClassifyImageRequest{ImageData: imageData})
	if err != nil {
		log.Fatalf("could not classify: %v", err)
	}
	log.Printf("Prediction: %s, Confidence: %.2f", resp.Label, resp.Confidence)
}
