package grpcapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // clients look whether a replica is well
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
)

// DialOptions say how to reach a service.
type DialOptions struct {
	TLS        *TLSFiles // nil only if Insecure
	Insecure   bool      // plain text, for development
	ServerName string    // in the server's certificate; empty: the target's host
	// Token returns the bearer token to show with each call; nil: the client
	// certificate says who we are.
	Token func(ctx context.Context) (string, error)
	// Health names the service whose health decides whether a replica is called,
	// such as "footway.v1.Fleet"; empty: none is asked.
	Health string
	Log    *slog.Logger
	GRPC   []grpc.DialOption // such as stats handlers
}

// Dial returns a connection to the replicas of a service at target, such as
// "dns:///fleet:7001", whom it calls in turn. It does not wait for any of them. It fails with
// fault.Invalid if o does not fit together.
func Dial(target string, o DialOptions) (*grpc.ClientConn, error) {
	bad := func(reason string, err error) error {
		return &fault.Error{Op: "grpcapi.Dial", Kind: fault.Invalid, Reason: reason, Err: err}
	}
	if (o.TLS == nil) != o.Insecure {
		return nil, bad("no_tls", fmt.Errorf("%s: want either TLS files or plain text", target))
	}
	creds := insecure.NewCredentials()
	if o.TLS != nil {
		log := o.Log
		if log == nil {
			log = slog.New(slog.DiscardHandler)
		}
		r, err := newReloading(*o.TLS, log)
		if err != nil {
			return nil, bad("bad_certificate", err)
		}
		creds = r
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds), grpc.WithDefaultServiceConfig(serviceConfig(o.Health)), grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingByClient, Timeout: pingAnswer, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.MaxCallSendMsgSize(maxReceive)),
		grpc.WithIdleTimeout(0),
	}
	if o.ServerName != "" {
		opts = append(opts, grpc.WithAuthority(o.ServerName))
	}
	if o.Token != nil {
		opts = append(opts, grpc.WithPerRPCCredentials(&shown{o.Token, !o.Insecure}))
	}
	cc, err := grpc.NewClient(target, append(opts, o.GRPC...)...)
	if err != nil {
		return nil, bad("bad_target", err)
	}
	return cc, nil
}

// shown is a bearer token that goes with each call.
type shown struct {
	token  func(ctx context.Context) (string, error)
	secure bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (s *shown) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := s.token(ctx)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, "no token to show: "+err.Error())
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (s *shown) RequireTransportSecurity() bool { return s.secure }

// once are the calls that gRPC does not repeat by itself: those that count
// tries, and those that wait for a robot, which is unavailable often and for long.
var once = []string{pb.Tasks_Handoff_FullMethodName, pb.Fleet_Command_FullMethodName, pb.Relay_Deliver_FullMethodName}

// serviceConfig says how calls go out: to all replicas in turn, and again where
// that can do no harm, as long as most calls succeed.
func serviceConfig(health string) string {
	type name struct {
		Service string `json:"service,omitempty"`
		Method  string `json:"method,omitempty"`
	}
	type object = map[string]any
	single, all := []name{}, []name{}
	for _, full := range once {
		service, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
		single = append(single, name{service, method})
	}
	for _, d := range []grpc.ServiceDesc{pb.Fleet_ServiceDesc, pb.Tasks_ServiceDesc, pb.Maps_ServiceDesc, pb.Config_ServiceDesc} {
		all = append(all, name{Service: d.ServiceName})
	}
	config := object{
		"loadBalancingConfig": []object{{"round_robin": object{}}},
		"retryThrottling":     object{"maxTokens": 100, "tokenRatio": 0.1},
		"methodConfig": []object{
			{"name": single},
			{"name": all, "retryPolicy": object{
				"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3, "retryableStatusCodes": []string{"UNAVAILABLE"},
			}},
		},
	}
	if health != "" {
		config["healthCheckConfig"] = object{"serviceName": health}
	}
	text, err := json.Marshal(config)
	if err != nil {
		panic("grpcapi: the service config is not JSON: " + err.Error())
	}
	return string(text)
}

// caller is a connection whose calls end in time and fail with the core's errors.
type caller struct{ grpc.ClientConnInterface }

// within is how long a call may take. Those that tell robots something wait for
// several answers.
func within(method string) time.Duration {
	switch method {
	case pb.Tasks_Create_FullMethodName, pb.Tasks_Replan_FullMethodName, pb.Tasks_Cancel_FullMethodName, pb.Tasks_Handoff_FullMethodName:
		return 12 * time.Second
	case pb.Maps_Matrix_FullMethodName:
		return 20 * time.Second
	}
	return 5 * time.Second
}

// Invoke implements grpc.ClientConnInterface.
func (c caller) Invoke(ctx context.Context, method string, req, answer any, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, within(method))
	defer cancel()
	err := c.ClientConnInterface.Invoke(ctx, method, req, answer, opts...)
	if err == nil {
		return nil
	}
	op := strings.TrimPrefix(method, "/footway.v1.")
	if status.Code(err) == codes.Internal {
		if _, bad := proto.Marshal(req.(proto.Message)); bad != nil { // gRPC says Internal, but it is the caller's text
			return fault.New(op, fault.Invalid, "bad_text", "the request cannot be written: %w", bad)
		}
	}
	return faultOf(op, err)
}
