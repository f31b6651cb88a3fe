// stream SERVER FILE...: classifies images over one bidirectional stream.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/grpc"
	pb "path/to/generated/proto"
)

// Images in flight: enough to keep a few cores busy. With many more, some would wait for too long in the server's queue and
// be rejected as OVERLOADED.
const inFlightMax = 4

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: stream SERVER FILE...")
	}
	conn, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		log.Fatalf("did not connect: %v", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := pb.NewImageClassifierClient(conn).ClassifyStream(ctx)
	if err != nil {
		log.Fatalf("could not start the stream: %v", err)
	}

	slots := make(chan struct{}, inFlightMax)
	go send(stream, os.Args[2:], slots)
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatalf("the stream ended: %v", err)
		}
		<-slots
		// An error belongs to its image and does not end the stream.
		if failure := response.GetError(); failure != nil {
			fmt.Printf("%s: %s\n", response.Id, failure.Message)
		} else {
			fmt.Printf("%s: %s %.2f\n", response.Id, response.GetResponse().Label, response.GetResponse().Confidence)
		}
	}
}

func send(stream pb.ImageClassifier_ClassifyStreamClient, files []string, slots chan<- struct{}) {
	for _, file := range files {
		imageData, err := os.ReadFile(file)
		if err != nil {
			log.Print(err)
			continue
		}
		slots <- struct{}{}
		// Responses come in any order and repeat this id. If the stream has ended, Recv returns the error.
		if stream.Send(&pb.ClassifyImageRequest{ImageData: imageData, Id: file}) != nil {
			return
		}
	}
	stream.CloseSend()
}
