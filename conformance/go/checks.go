// checks SERVER COFFEE: runs all checks with grpc-go against the server and prints the results as a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	pb "contract"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
)

const (
	imageBytesMax = 10 << 20
	utf8Name      = "кот 🐈 100 %"
)

var coffee []byte

type driver struct {
	connection *grpc.ClientConn
	stub       pb.ImageClassifierClient
}

func request() *pb.ClassifyImageRequest { return &pb.ClassifyImageRequest{ImageData: coffee} }

func padded(length int) *pb.ClassifyImageRequest {
	return &pb.ClassifyImageRequest{ImageData: append(append([]byte{}, coffee...), make([]byte, length-len(coffee))...)}
}

func expect(condition bool, format string, arguments ...interface{}) error {
	if condition {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}

// parseError returns an error's code, message and ErrorInfo, which is empty if there is none.
func parseError(err error) (codes.Code, string, *errdetails.ErrorInfo) {
	info := &errdetails.ErrorInfo{}
	for _, detail := range status.Convert(err).Details() {
		if found, ok := detail.(*errdetails.ErrorInfo); ok {
			info = found
		}
	}
	return status.Code(err), status.Convert(err).Message(), info
}

var checks = map[string]func(context.Context, driver) error{
	"unary": func(ctx context.Context, d driver) error {
		response, err := d.stub.Classify(ctx, &pb.ClassifyImageRequest{ImageData: coffee, TopK: 3})
		if err != nil {
			return err
		}
		return expect(response.Label == "espresso" && len(response.Predictions) == 3, "got %v", response)
	},
	"server stream": func(ctx context.Context, d driver) error {
		images := []*pb.ClassifyImageRequest{request(), {}, request()}
		stream, err := d.stub.ClassifyBatch(ctx, &pb.ClassifyBatchRequest{Requests: images})
		if err != nil {
			return err
		}
		responses, errors := 0, 0
		for {
			result, err := stream.Recv()
			if err == io.EOF {
				return expect(responses == 2 && errors == 1, "%d responses, %d errors", responses, errors)
			}
			if err != nil {
				return err
			}
			if result.GetError() != nil {
				errors++
			} else {
				responses++
			}
		}
	},
	"bidi": func(ctx context.Context, d driver) error {
		stream, err := d.stub.ClassifyStream(ctx)
		if err != nil {
			return err
		}
		for i := 0; i < 5; i++ {
			image := request()
			image.Id = fmt.Sprint(i)
			if err := stream.Send(image); err != nil {
				return err
			}
			result, err := stream.Recv()
			if err != nil {
				return err
			}
			if result.Id != image.Id || result.GetResponse() == nil {
				return fmt.Errorf("got %v", result)
			}
		}
		stream.CloseSend()
		_, err = stream.Recv()
		return expect(err == io.EOF, "ended with %v", err)
	},
	"error details": func(ctx context.Context, d driver) error {
		_, err := d.stub.Classify(ctx, &pb.ClassifyImageRequest{})
		code, _, info := parseError(err)
		return expect(code == codes.InvalidArgument && info.Reason == "IMAGE_EMPTY", "%v: %v", code, info)
	},
	"UTF-8": func(ctx context.Context, d driver) error {
		image := request()
		image.Model = utf8Name
		_, err := d.stub.Classify(ctx, image)
		code, message, info := parseError(err)
		return expect(code == codes.NotFound && strings.Contains(message, utf8Name) && info.Metadata["model"] == utf8Name,
			"%v: %v", message, info)
	},
	"deadline": func(ctx context.Context, d driver) error {
		short, cancel := context.WithTimeout(ctx, 3*time.Millisecond)
		defer cancel()
		_, err := d.stub.Classify(short, padded(imageBytesMax))
		code, message, info := parseError(err)
		// Either side may report the deadline first. The server may also reject the request at once as OVERLOADED.
		if code != codes.DeadlineExceeded && info.Reason != "OVERLOADED" {
			return fmt.Errorf("%v: %v", code, message)
		}
		_, err = d.stub.Classify(ctx, request())
		return err
	},
	"cancellation": func(ctx context.Context, d driver) error {
		// Opens the connection.
		if _, err := d.stub.Classify(ctx, request()); err != nil {
			return err
		}
		stopped, cancel := context.WithCancel(ctx)
		time.AfterFunc(3*time.Millisecond, cancel)
		_, err := d.stub.Classify(stopped, padded(imageBytesMax))
		if status.Code(err) != codes.Canceled {
			return fmt.Errorf("ended with %v", err)
		}
		_, err = d.stub.Classify(ctx, request())
		return err
	},
	"large message": func(ctx context.Context, d driver) error {
		if _, err := d.stub.Classify(ctx, padded(imageBytesMax)); err != nil {
			return err
		}
		_, err := d.stub.Classify(ctx, padded(imageBytesMax+1))
		_, message, info := parseError(err)
		return expect(info.Reason == "IMAGE_TOO_LARGE", "%v", message)
	},
	"metadata": func(ctx context.Context, d driver) error {
		var header metadata.MD
		response, err := d.stub.Classify(ctx, request(), grpc.Header(&header))
		if err != nil {
			return err
		}
		id := header.Get("x-request-id")
		return expect(len(id) == 1 && id[0] != "" && id[0] == response.RequestId, "%v", header)
	},
	"compression": func(ctx context.Context, d driver) error {
		response, err := d.stub.Classify(ctx, request(), grpc.UseCompressor(gzip.Name))
		if err != nil {
			return err
		}
		return expect(response.Label == "espresso", "got %v", response)
	},
	"health": func(ctx context.Context, d driver) error {
		response, err := health.NewHealthClient(d.connection).Check(ctx, &health.HealthCheckRequest{})
		if err != nil {
			return err
		}
		return expect(response.Status == health.HealthCheckResponse_SERVING, "%v", response)
	},
	"reflection": func(ctx context.Context, d driver) error {
		stream, err := reflection.NewServerReflectionClient(d.connection).ServerReflectionInfo(ctx)
		if err != nil {
			return err
		}
		list := &reflection.ServerReflectionRequest_ListServices{}
		if err := stream.Send(&reflection.ServerReflectionRequest{MessageRequest: list}); err != nil {
			return err
		}
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, service := range response.GetListServicesResponse().GetService() {
			if service.Name == "imageclassifier.ImageClassifier" {
				return nil
			}
		}
		return errors.New("imageclassifier.ImageClassifier is not listed")
	},
}

func main() {
	var err error
	if coffee, err = os.ReadFile(os.Args[2]); err != nil {
		panic(err)
	}
	cells := map[string]map[string]string{}
	for name, check := range checks {
		cells[name] = cell(check)
	}
	row := map[string]interface{}{"name": "grpc-go (Debian's)", "protocol": "gRPC", "cells": cells}
	if err := json.NewEncoder(os.Stdout).Encode(row); err != nil {
		panic(err)
	}
}

// cell runs one check on a new connection.
func cell(check func(context.Context, driver) error) map[string]string {
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := check(ctx, driver{connection, pb.NewImageClassifierClient(connection)}); err != nil {
		return map[string]string{"state": "no", "note": strings.Split(err.Error(), "\n")[0]}
	}
	return map[string]string{"state": "yes"}
}
