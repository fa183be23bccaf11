package configfile

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"footway/core/config"
)

// Options say how a Poller looks for new versions; the zero value works.
type Options struct {
	Every   time.Duration // between two looks, give or take a tenth, so that many processes spread; 0 is 30 s
	Timeout time.Duration // of one look; 0 is 10 s
	Longest time.Duration // between two looks while the document cannot be reached, when each wait is twice the one before; 0 is 5 min
	Logger  *slog.Logger  // is told of each new version and each new error; nil: slog.Default
}

// Poller has a follower look for a new version from time to time.
type Poller struct {
	follower *config.Follower
	options  Options
	now      chan struct{} // holds one token: somebody does not want to wait
	told     string        // the error that was logged last; "" while all is well
}

// NewPoller returns a poller of f.
func NewPoller(f *config.Follower, o Options) *Poller {
	if o.Every <= 0 {
		o.Every = 30 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Longest <= 0 {
		o.Longest = 5 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Poller{follower: f, options: o, now: make(chan struct{}, 1)}
}

// LookNow has Run look at once. It does not wait for it; it is what a process calls on SIGHUP.
func (p *Poller) LookNow() {
	select {
	case p.now <- struct{}{}:
	default: // it is about to
	}
}

// Run looks for new versions until ctx ends. It may be called once.
func (p *Poller) Run(ctx context.Context) {
	p.tell(p.follower.Status().Err) // what Follow met with
	for {
		timer := time.NewTimer(p.wait(p.follower.Status().Unreached))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-p.now:
			timer.Stop()
		case <-timer.C:
		}
		p.look(ctx)
	}
}

// wait returns how long to wait after so many looks in vain. A text that is wrong is
// no reason to wait longer: somebody is about to put it right.
func (p *Poller) wait(unreached int) time.Duration {
	most := max(p.options.Every, p.options.Longest)
	d := p.options.Every
	for range unreached {
		d = min(2*d, most) // it stays there, so this does not overflow
	}
	return d - d/10 + rand.N(d/5+1)
}

// look refreshes once.
func (p *Poller) look(ctx context.Context) {
	before := p.follower.Config()
	inTime, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	err := p.follower.Refresh(inTime)
	if ctx.Err() != nil {
		return // that it failed then says nothing of the document
	}
	if after := p.follower.Config(); after.Version() != before.Version() {
		p.options.Logger.Info("configuration changed", "from", before.Version(), "to", after.Version(), "changes", changes(before, after))
	}
	p.tell(err)
}

// tell logs an error once, and once that it is over.
func (p *Poller) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == p.told {
		return
	}
	if p.told = text; err == nil {
		p.options.Logger.Info("configuration is followed again", "version", p.follower.Status().Version)
		return
	}
	s := p.follower.Status()
	p.options.Logger.Error("configuration is not followed", "error", err, "version", s.Version, "since", s.Since, "kept_copy", s.Kept)
}

// changes returns the settings that are others now, not more than a log line should hold.
func changes(before, after *config.Config) []string {
	const most = 50
	all := config.Changes(before, after)
	lines := make([]string, 0, min(len(all), most)+1)
	for _, c := range all[:min(len(all), most)] {
		lines = append(lines, c.String())
	}
	if more := len(all) - most; more > 0 {
		lines = append(lines, fmt.Sprintf("%d more", more))
	}
	return lines
}
