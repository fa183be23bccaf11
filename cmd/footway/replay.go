package main

import (
	"context"
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

	"footway/adapters/partner"
	"footway/adapters/recording"
	"footway/adapters/uber"
	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/market"
	"footway/sim/scenario"
	"footway/sim/world"
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
			requests, err := readRecording(args[0])
			if err != nil {
				return err
			}
			s, err := scenarioOf(args[0], requests, flags.market)
			if err != nil {
				return err
			}
			o, err := flags.prepare(cmd, s)
			if err != nil {
				return err
			}
			var replay *recording.Replay
			var answers []answer
			o.Traffic = trafficOf(requests, market.ID(s.Market.ID), &replay, func(a answer) { answers = append(answers, a) })
			return runAndTell(cmd, s, o, &out, func(w io.Writer) error {
				fmt.Fprintln(w)
				return errors.Join(replay.Summary().WriteText(w), writeAnswers(out.dir, answers))
			})
		},
	}
	flags.register(cmd)
	out.register(cmd)
	return cmd
}

// readRecording reads a recording that has at least one request.
func readRecording(path string) ([]recording.Request, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	requests, err := recording.Read(f)
	if err != nil {
		return nil, usagef("%s: %w", path, err)
	}
	if len(requests) == 0 {
		return nil, usagef("%s: the recording is empty", path)
	}
	return requests, nil
}

// scenarioOf makes the scenario that a recording runs in: as long as it is, with
// no other demand, and with a fleet for its traffic unless a market file names one.
func scenarioOf(path string, requests []recording.Request, marketPath string) (*scenarioFile, error) {
	if marketPath == "" {
		return nil, usagef("--market is missing: the map on which %s was recorded, or a market file", path)
	}
	s := &scenarioFile{ref: path, Scenario: scenario.Defaults()}
	s.Name, _, _ = strings.Cut(filepath.Base(path), ".")
	s.About = "Recorded partner traffic, decided anew."
	s.Seed = 1
	s.Demand.Recording = path
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

// replayInto makes the recording at path the traffic of a run.
func replayInto(o *twin.Options, path string) error {
	requests, err := readRecording(path)
	if err != nil {
		return fmt.Errorf("demand.recording: %w", err)
	}
	var replay *recording.Replay
	o.Traffic = trafficOf(requests, market.ID(o.Scenario.Market.ID), &replay, func(answer) {})
	return nil
}

// answer is what a partner would have got, as answers.jsonl has it.
type answer struct {
	Line   int             `json:"line"` // of the request in the recording
	At     clock.Time      `json:"at"`
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// writeAnswers writes every answer of a replay, one to a line, if there is a folder for it.
func writeAnswers(dir string, answers []answer) error {
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

// lineIDs names what a request makes after its line, so that a run that is resumed goes on with the same names.
type lineIDs struct{ line int }

// NewID implements delivery.IDs.
func (i *lineIDs) NewID(kind string) string { return fmt.Sprintf("%s-%d", kind, i.line) }

// trafficOf makes requests through the translation that serves partners. It
// puts the replay where the caller finds its account, and tells each answer.
func trafficOf(requests []recording.Request, m market.ID, replay **recording.Replay, tell func(answer)) func(*twin.Services) world.Traffic {
	return func(s *twin.Services) world.Traffic {
		drive := partner.NewDrive(partner.Deps{
			Market: m, Quotes: s.Deliveries, Changes: s.Deliveries, Estimates: s.Dispatch,
			Businesses: s.Merchants, Stores: s.Merchants, Places: s.Maps, Clock: s.Clock,
		})
		ids := &lineIDs{}
		direct := uber.NewDirect(uber.Deps{
			Market: m, Quotes: s.Deliveries, Changes: s.Deliveries, Board: s.Board, Estimates: s.Dispatch, Stores: s.Merchants, Places: s.Maps,
			IDs: ids, Clock: s.Clock,
		})
		*replay = recording.NewReplay(requests, func(ctx context.Context, r recording.Request) (recording.Answer, error) {
			asked := partner.Request{Partner: delivery.PartnerID(r.Partner), Method: r.Method, Path: r.Path, Body: r.Body}
			var a partner.Response
			if strings.HasPrefix(r.Path, uber.Prefix) {
				ids.line = r.Line
				a = partner.Response(direct.Handle(ctx, uber.Request(asked)))
			} else {
				a = drive.Handle(ctx, asked)
			}
			tell(answer{Line: r.Line, At: s.Clock.Now(), Method: r.Method, Path: r.Path, Status: a.Status, Body: a.Body})
			return recording.Answer{Status: a.Status, Operation: a.Operation, Body: a.Body}, a.Err
		})
		return *replay
	}
}
