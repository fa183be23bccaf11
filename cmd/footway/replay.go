package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/recording"
	"footway/cmd/replay"
	"footway/core/clock"
	"footway/sim/scenario"
)

func newReplayCommand() *cobra.Command {
	var flags runFlags
	var out output
	cmd := &cobra.Command{
		Use:   "replay RECORDING",
		Short: "Replay recorded partner traffic against a market",
		Long: `Replay recorded partner traffic: every request is made of the services at its
time, through the translation that serves partners in production, and the answers
that the partner would have got are reported. Only what partners did is replayed;
the services decide anew.

A recording is a file of JSON lines; see footway recordings. With --out, answers.jsonl
holds every answer beside its request's line; after --resume, those from there on.`,
		Example: `  footway replay day.jsonl --market city.fwnet
  footway replay day.jsonl --market baltimore.osm.pbf --set fleet.robots=150 --out out/day
  footway replay day.jsonl --market market.yaml --json`,
		Args: wants("RECORDING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			traffic, err := readRecording(args[0])
			if err != nil {
				return err
			}
			s, err := scenarioOf(args[0], traffic, flags.market)
			if err != nil {
				return err
			}
			o, err := flags.prepare(cmd, s)
			if err != nil {
				return err
			}
			var answers []replay.Answer
			traffic.Answered = func(a replay.Answer) { answers = append(answers, a) }
			return runAndTell(cmd, s, o, &out, func(w io.Writer) error {
				fmt.Fprintln(w)
				return errors.Join(traffic.Summary().WriteText(w), writeAnswers(out.dir, answers))
			})
		},
	}
	flags.register(cmd)
	out.register(cmd)
	return cmd
}

// readRecording reads a recording that has at least one request.
func readRecording(path string) (*replay.Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	r, err := replay.Read(path, f)
	if err != nil {
		return nil, usageError{err}
	}
	return r, nil
}

// scenarioOf makes the scenario that a recording runs in: as long as it is, with
// no other demand, and with a fleet for its traffic unless a market file names one.
func scenarioOf(path string, traffic *replay.Recording, marketPath string) (*scenarioFile, error) {
	if marketPath == "" {
		return nil, usagef("--market is missing: the map on which %s was recorded, or a market file", path)
	}
	s := &scenarioFile{ref: path, traffic: traffic, file: path, Scenario: scenario.Defaults()}
	s.Name, _, _ = strings.Cut(filepath.Base(path), ".")
	s.About = "Recorded partner traffic, decided anew."
	s.Seed = 1
	s.Demand.Recording = path
	requests := traffic.Requests
	first, last := requests[0].At, requests[len(requests)-1].At
	s.Duration = last.Sub(first) + clock.Minute
	// A busy robot carries about a delivery and a half in an hour.
	s.Fleet.Robots = max(8, busiestHour(requests)*2/3)
	if err := s.useMarket(marketPath); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(s.Market.TimeZone)
	if err != nil {
		return nil, err
	}
	s.Start = first.Std().In(zone).Format("2006-01-02T15:04")
	return s, nil
}

// busiestHour returns the most deliveries that were asked for within an hour.
func busiestHour(requests []recording.Request) int {
	var times []clock.Time
	most := 0
	for i := range requests {
		r := &requests[i]
		if r.Method != http.MethodPost || !strings.HasSuffix(r.Path, "/accept") && !strings.HasSuffix(r.Path, "/deliveries") {
			continue
		}
		times = append(times, r.At)
		for r.At.Sub(times[0]) > clock.Hour {
			times = times[1:]
		}
		most = max(most, len(times))
	}
	return most
}

// writeAnswers writes every answer of a replay, one to a line, if there is a folder for it.
func writeAnswers(dir string, answers []replay.Answer) error {
	if dir == "" {
		return nil
	}
	return writeFile(filepath.Join(dir, "answers.jsonl"), func(f *os.File) error {
		e := json.NewEncoder(f)
		e.SetEscapeHTML(false)
		for _, a := range answers {
			if err := e.Encode(a); err != nil {
				return err
			}
		}
		return nil
	})
}
