package grpcapi_test

import (
	"context"
	"net"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// reasonOnWire returns the reason in the details of an error that gRPC returned.
func reasonOnWire(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// insecureOver are the options of a client that knows nothing of ours.
func insecureOver(l *bufconn.Listener) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
	}
}

func fleetDeps() fleet.Deps {
	return fleet.Deps{
		Link: &fake.Link{}, Clock: fake.NewClock(fake.Start), Timers: &fake.Timers{}, Journal: &fake.Journal{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	}
}
