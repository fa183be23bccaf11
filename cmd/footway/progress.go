package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"footway/cmd/twin"
)

// progress shows how far a run is, on a terminal only.
type progress struct {
	bar   *progressbar.ProgressBar
	began time.Time
}

const progressSteps = 1000

func newProgress(w io.Writer, name string) *progress {
	if !terminal(w) {
		return &progress{}
	}
	bar := progressbar.NewOptions(progressSteps,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name), progressbar.OptionSetWidth(20),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
	return &progress{bar: bar, began: time.Now()}
}

// show implements the look of twin.Run.All.
func (p *progress) show(at twin.Progress) error {
	if p.bar == nil {
		return nil
	}
	left := ""
	switch took := time.Since(p.began).Seconds(); {
	case at.Part >= 1:
		left = "finishing" // no new orders come
	case at.Part > 0:
		left = fmt.Sprintf("%.0f s left", took*(1-at.Part)/at.Part)
	}
	p.bar.Describe(fmt.Sprintf("%s  %5d of %5d deliveries ended  %11s", at.Now.Std().Format("15:04"), at.Ended, at.Accepted, left))
	// The last step would end the bar, and deliveries still go on.
	return p.bar.Set(min(int(at.Part*progressSteps), progressSteps-1))
}

// part shows how much of a work is done, from 0 to 1.
func (p *progress) part(done float64) error {
	if p.bar == nil || done <= 0 {
		return nil
	}
	p.bar.Describe(fmt.Sprintf("%.0f s left", time.Since(p.began).Seconds()*(1-done)/done))
	return p.bar.Set(min(int(done*progressSteps), progressSteps-1))
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish() // it can only fail to draw
	}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colored reports whether w takes colors. See https://no-color.org.
func colored(w io.Writer) bool { return terminal(w) && os.Getenv("NO_COLOR") == "" }
