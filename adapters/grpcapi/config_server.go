package grpcapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/config"
	"footway/core/market"
)

// Configs is where Config has the configuration from; a config.Follower is one.
type Configs interface {
	// Config returns the configuration in force, which nobody may change. It
	// does not block, and versions never go back.
	Config() *config.Config
}

// configServer is Config on the wire.
type configServer struct {
	pb.UnimplementedConfigServer
	s    Configs
	bell *Bell // of the market ""
	poll time.Duration
	quit <-chan struct{}
}

func (c *configServer) Get(_ context.Context, q *pb.GetSettingsRequest) (*pb.GetSettingsResponse, error) {
	now := c.s.Config()
	text, err := json.Marshal(now.Get(market.ID(q.GetMarket())))
	if err != nil {
		return nil, fmt.Errorf("write the settings of %q: %w", q.GetMarket(), err)
	}
	return &pb.GetSettingsResponse{Version: now.Version(), Settings: text}, nil
}

func (c *configServer) Fetch(_ context.Context, q *pb.FetchConfigRequest) (*pb.FetchConfigResponse, error) {
	now := c.s.Config()
	text, err := now.MarshalDiff()
	if err != nil {
		return nil, fmt.Errorf("write version %d: %w", now.Version(), err)
	}
	sum := sha256.Sum256(text)
	tag := hex.EncodeToString(sum[:16])
	if tag == q.GetTag() {
		return &pb.FetchConfigResponse{Tag: tag}, nil
	}
	return &pb.FetchConfigResponse{Tag: tag, Document: text}, nil
}

func (c *configServer) Watch(_ *pb.WatchConfigRequest, out grpc.ServerStreamingServer[pb.WatchConfigResponse]) error {
	look := time.NewTicker(c.poll)
	defer look.Stop()
	for {
		rung := c.bell.Next("")
		if err := out.Send(&pb.WatchConfigResponse{Version: c.s.Config().Version()}); err != nil {
			return err
		}
		select {
		case <-rung:
		case <-look.C:
		case <-c.quit:
			return errStopping
		case <-out.Context().Done():
			return out.Context().Err()
		}
	}
}
