package serve

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"footway/adapters/journal"
	"footway/adapters/live"
	"footway/adapters/zstd"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/runlog"
)

// openJournal opens what keeps the log of everything that happens here. Without a folder it is kept
// in memory only, for those who watch.
func (p *process) openJournal() error {
	j, err := journal.Open(journal.Options{
		Dir: p.d.Journal.Folder, Name: strings.NewReplacer("/", "-", ":", "-").Replace(p.Replica), Version: p.Version, Codec: &zstd.Codec{},
		Keep: p.d.Journal.Keep.Std(), Log: p.log,
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	p.journals = j
	p.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := j.Close(ctx); err != nil {
			p.log.Error("the journal did not end in order", "error", err)
		}
	})
	if p.kept.Telemetry != nil {
		p.kept.Telemetry = j.Telemetry(p.kept.Telemetry)
	}
	p.live = live.New(live.Deps{
		Subscribe: func(after uint64, chain runlog.Hash) live.Feed { return j.Subscribe(after, chain) },
		Auth:      p.operators, Log: p.log,
	}, live.Options{})
	p.drains = append(p.drains, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := p.live.Drain(ctx); err != nil {
			p.log.Warn("viewers were cut off", "error", err)
		}
	})
	return nil
}

// operators lets in who shows the operators' token.
func (p *process) operators(r *http.Request) (string, error) {
	show := p.trust.shown(p.d.Security.OperatorToken)
	if show == nil {
		return "", fault.New("serve.live", fault.Forbidden, "", "this deployment has no operators' token")
	}
	want, err := show(r.Context())
	if err != nil {
		return "", err
	}
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return "", fault.New("serve.live", fault.Forbidden, "", "want the operators' token")
	}
	return "operator", nil
}

// several is a journal that passes each event on to several.
type several []event.Journal

// Append implements event.Journal.
func (all several) Append(ctx context.Context, e event.Event) {
	for _, j := range all {
		j.Append(ctx, e)
	}
}
