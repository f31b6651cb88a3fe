// Many pictures over one stream: stream SERVER FILE...
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

// Pictures sent and not yet answered: enough to keep a few cores busy. Far more might wait for longer than the server
// lets them, and be told to come again.
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
		log.Fatalf("could not begin: %v", err)
	}

	room := make(chan struct{}, inFlightMax)
	go send(stream, os.Args[2:], room)
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatalf("the stream ended: %v", err)
		}
		<-room
		// An error belongs to its picture; the others go on.
		if failure := answer.GetError(); failure != nil {
			fmt.Printf("%s: %s\n", answer.Id, failure.Message)
		} else {
			fmt.Printf("%s: %s %.2f\n", answer.Id, answer.GetResponse().Label, answer.GetResponse().Confidence)
		}
	}
}

func send(stream pb.ImageClassifier_ClassifyStreamClient, files []string, room chan<- struct{}) {
	for _, file := range files {
		imageData, err := os.ReadFile(file)
		if err != nil {
			log.Print(err)
			continue
		}
		room <- struct{}{}
		// The answer comes with this id, in any order. Why a stream has ended, Recv says.
		if stream.Send(&pb.ClassifyImageRequest{ImageData: imageData, Id: file}) != nil {
			return
		}
	}
	stream.CloseSend()
}
