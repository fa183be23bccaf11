package serve

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/webhook"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/integration"
)

// watch is what is told of this process: metrics, traces, health.
type watch struct{}

func (p *process) newWatch(context.Context) (*watch, error) { return &watch{}, nil }

func (*watch) health(string, func(context.Context) error)                                       {}
func (*watch) started()                                                                         {}
func (*watch) ending()                                                                          {}
func (*watch) restarted(string)                                                                 {}
func (*watch) holds(string, bool)                                                               {}
func (*watch) close()                                                                           {}
func (*watch) gaps(int)                                                                         {}
func (*watch) webhooks(func() []webhook.Stat)                                                   {}
func (*watch) webhook(integration.Endpoint, integration.Outcome, time.Duration, clock.Duration) {}
func (*watch) serverOptions() []grpc.ServerOption                                               { return nil }
func (*watch) dialOptions() []grpc.DialOption                                                   { return nil }
func (*watch) handler(_ string, next http.Handler) http.Handler                                 { return next }

func (p *process) newJournal() event.Journal {
	if p.Journal != nil {
		return p.Journal
	}
	return nowhere{}
}

// nowhere is a journal that keeps nothing.
type nowhere struct{}

// Append implements event.Journal.
func (nowhere) Append(context.Context, event.Event) {}
