// checks SERVER COFFEE: what grpc-go can do against the server, as a line of JSON.
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

func expect(holds bool, format string, arguments ...interface{}) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}

// What an error says, and its ErrorInfo.
func refused(err error) (codes.Code, string, *errdetails.ErrorInfo) {
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
		answer, err := d.stub.Classify(ctx, &pb.ClassifyImageRequest{ImageData: coffee, TopK: 3})
		if err != nil {
			return err
		}
		return expect(answer.Label == "espresso" && len(answer.Predictions) == 3, "answered %v", answer)
	},
	"server stream": func(ctx context.Context, d driver) error {
		pictures := []*pb.ClassifyImageRequest{request(), {}, request()}
		stream, err := d.stub.ClassifyBatch(ctx, &pb.ClassifyBatchRequest{Requests: pictures})
		if err != nil {
			return err
		}
		answers, errors := 0, 0
		for {
			result, err := stream.Recv()
			if err == io.EOF {
				return expect(answers == 2 && errors == 1, "%d answers, %d errors", answers, errors)
			}
			if err != nil {
				return err
			}
			if result.GetError() != nil {
				errors++
			} else {
				answers++
			}
		}
	},
	"bidi": func(ctx context.Context, d driver) error {
		stream, err := d.stub.ClassifyStream(ctx)
		if err != nil {
			return err
		}
		for i := 0; i < 5; i++ {
			picture := request()
			picture.Id = fmt.Sprint(i)
			if err := stream.Send(picture); err != nil {
				return err
			}
			result, err := stream.Recv()
			if err != nil {
				return err
			}
			if result.Id != picture.Id || result.GetResponse() == nil {
				return fmt.Errorf("answered %v", result)
			}
		}
		stream.CloseSend()
		_, err = stream.Recv()
		return expect(err == io.EOF, "ended with %v", err)
	},
	"error details": func(ctx context.Context, d driver) error {
		_, err := d.stub.Classify(ctx, &pb.ClassifyImageRequest{})
		code, _, info := refused(err)
		return expect(code == codes.InvalidArgument && info.Reason == "IMAGE_EMPTY", "%v: %v", code, info)
	},
	"UTF-8": func(ctx context.Context, d driver) error {
		picture := request()
		picture.Model = utf8Name
		_, err := d.stub.Classify(ctx, picture)
		code, message, info := refused(err)
		return expect(code == codes.NotFound && strings.Contains(message, utf8Name) && info.Metadata["model"] == utf8Name,
			"%v: %v", message, info)
	},
	"deadline": func(ctx context.Context, d driver) error {
		short, cancel := context.WithTimeout(ctx, 3*time.Millisecond)
		defer cancel()
		_, err := d.stub.Classify(short, padded(imageBytesMax))
		code, message, info := refused(err)
		// The library's own clock, or the server's; which also refuses at once what it cannot do in time.
		if code != codes.DeadlineExceeded && info.Reason != "OVERLOADED" {
			return fmt.Errorf("%v: %v", code, message)
		}
		_, err = d.stub.Classify(ctx, request())
		return err
	},
	"cancellation": func(ctx context.Context, d driver) error {
		// Connected by then.
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
		_, message, info := refused(err)
		return expect(info.Reason == "IMAGE_TOO_LARGE", "%v", message)
	},
	"metadata": func(ctx context.Context, d driver) error {
		var header metadata.MD
		answer, err := d.stub.Classify(ctx, request(), grpc.Header(&header))
		if err != nil {
			return err
		}
		id := header.Get("x-request-id")
		return expect(len(id) == 1 && id[0] != "" && id[0] == answer.RequestId, "%v", header)
	},
	"compression": func(ctx context.Context, d driver) error {
		answer, err := d.stub.Classify(ctx, request(), grpc.UseCompressor(gzip.Name))
		if err != nil {
			return err
		}
		return expect(answer.Label == "espresso", "%v", answer)
	},
	"health": func(ctx context.Context, d driver) error {
		answer, err := health.NewHealthClient(d.connection).Check(ctx, &health.HealthCheckRequest{})
		if err != nil {
			return err
		}
		return expect(answer.Status == health.HealthCheckResponse_SERVING, "%v", answer)
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
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, service := range answer.GetListServicesResponse().GetService() {
			if service.Name == "imageclassifier.ImageClassifier" {
				return nil
			}
		}
		return errors.New("our service is not listed")
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

// With a connection of its own.
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
