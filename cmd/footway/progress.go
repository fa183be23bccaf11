package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"footway/cmd/twin"
)

// progress shows how far a run is, on a terminal only.
type progress struct{ bar *progressbar.ProgressBar }

const progressSteps = 1000

func newProgress(w io.Writer, name string) *progress {
	if !terminal(w) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(progressSteps,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))}
}

// show implements the look of twin.Run.All.
func (p *progress) show(at twin.Progress) error {
	if p.bar == nil {
		return nil
	}
	p.bar.Describe(fmt.Sprintf("%s  %d of %d delivered or ended", at.Now.Std().Format("15:04"), at.Ended, at.Accepted))
	return p.bar.Set(int(at.Part * progressSteps))
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
