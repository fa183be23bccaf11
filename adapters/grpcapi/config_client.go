package grpcapi

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
)

// ConfigDocument is the configuration that Config has in force, as a document
// that a config.Follower follows. It is safe for concurrent use.
type ConfigDocument struct {
	name string
	c    pb.ConfigClient
}

var _ config.Document = (*ConfigDocument)(nil)

// NewConfigDocument returns the document at cc; name says for errors and logs
// where that is.
func NewConfigDocument(name string, cc grpc.ClientConnInterface) *ConfigDocument {
	return &ConfigDocument{"config service " + name, pb.NewConfigClient(caller{cc})}
}

// Name implements config.Document.
func (d *ConfigDocument) Name() string { return d.name }

// Fetch implements config.Document.
func (d *ConfigDocument) Fetch(ctx context.Context, tag string) (text []byte, newTag string, err error) {
	a, err := d.c.Fetch(ctx, &pb.FetchConfigRequest{Tag: clip(tag, 64)})
	switch {
	case err != nil:
		return nil, "", &fault.Error{Op: d.name, Kind: fault.KindOf(err), Reason: fault.ReasonOf(err), Err: err}
	case len(a.GetDocument()) > config.MaxBytes:
		return nil, "", fault.New(d.name, fault.Invalid, "too_large", "%d bytes; want at most %d", len(a.GetDocument()), config.MaxBytes)
	}
	return a.GetDocument(), a.GetTag(), nil
}

// ConfigClient is Config in another process: a source that goes on with the last
// good version while it is cut off. It is safe for concurrent use.
type ConfigClient struct {
	*config.Follower
	document *ConfigDocument
	log      *slog.Logger
}

var _ config.Source = (*ConfigClient)(nil)

// FollowConfig returns a client that has a good version: Config's, or else that
// of the keeper, which may be nil. Without either it fails, and says why. Run keeps it up to date.
func FollowConfig(ctx context.Context, d *ConfigDocument, c clock.Clock, k config.Keeper, log *slog.Logger) (*ConfigClient, error) {
	parse := func(_ string, text []byte) (*config.Config, error) { return config.LoadJSON(text) }
	f, err := config.Follow(ctx, config.Following{Document: d, Parse: parse, Clock: c, Keeper: k})
	if err != nil {
		return nil, err
	}
	return &ConfigClient{Follower: f, document: d, log: log}, nil
}

// Run follows Config until ctx ends. What is wrong on the way goes to the log,
// and to Status.
func (c *ConfigClient) Run(ctx context.Context) error {
	var wait backoff
	for {
		before := c.Status().Version
		err := c.watch(ctx)
		if c.Status().Version != before {
			wait = backoff{}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.log.Warn("configuration is not followed", "from", c.document.Name(), "error", err)
		if err := sleep(ctx, wait.next()); err != nil {
			return err
		}
	}
}

// watch refreshes the configuration at each word of one stream. Words come even
// when nothing has changed, so a refresh that failed is tried again.
func (c *ConfigClient) watch(ctx context.Context) error {
	const op = "Config/Watch"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.document.c.Watch(ctx, &pb.WatchConfigRequest{})
	if err != nil {
		return faultOf(op, err)
	}
	silent := time.AfterFunc(watchSilence, cancel)
	defer silent.Stop()
	for {
		a, err := stream.Recv()
		if err != nil {
			return faultOf(op, err)
		}
		silent.Reset(watchSilence)
		if s := c.Status(); a.GetVersion() == s.Version && !s.Kept && s.Err == nil {
			continue
		}
		if err := c.Refresh(ctx); err != nil {
			c.log.Warn("configuration is not taken up", "from", c.document.Name(), "version", a.GetVersion(), "error", err)
		}
	}
}
