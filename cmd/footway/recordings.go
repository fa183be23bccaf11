package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"footway/adapters/recording"
	"footway/core/fault"
)

func newRecordingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recordings",
		Short: "Inspect, scrub and sort recordings of partner traffic",
		Long: `Look into recordings of partner traffic, and make them fit to be passed on.

A recording is a file of JSON lines ordered by time, one request each:
  {"at": "2026-06-12T11:00:00.000Z", "partner": "acme", "method": "POST",
   "path": "/drive/v2/quotes", "headers": {...}, "body": {...}}
A body that is no JSON is the string "body_raw" instead of "body".`,
		Example: `  footway recordings inspect day.jsonl
  footway recordings scrub day.jsonl -o clean.jsonl
  footway recordings sort mixed.jsonl -o day.jsonl`,
	}
	cmd.AddCommand(newInspectCommand(), newScrubCommand(), newSortCommand())
	return cmd
}

func newInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Say what is in a recording",
		Example: "  footway recordings inspect day.jsonl\n  footway recordings inspect day.jsonl --json | jq .deliveries",
		Args:    wants("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			defer f.Close()
			report, err := recording.Inspect(recording.NewReader(f))
			if err != nil {
				return inRecording(args[0], err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			return report.WriteText(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on standard output")
	return cmd
}

func newScrubCommand() *cobra.Command {
	var out, network string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "scrub FILE -o OUT",
		Short: "Replace what identifies people and merchants in a recording",
		Long: `Copy a recording without what identifies people and merchants: names, phones,
addresses, positions, instructions, PINs, e-mails, and headers with secrets. One
person stays one person, ids and times and goods stay as they are.

With --map, addresses become others nearby on that map, so that the scrubbed
recording can be replayed there; without, they are made up.
` + networkHelp + `

Who knows the seed can try out what became what. It is drawn at random unless
--seed is given; give it, and keep it secret, to scrub several recordings alike.`,
		Example: `  footway recordings scrub day.jsonl -o shared.jsonl --map baltimore.fwnet
  footway recordings scrub monday.jsonl -o monday-shared.jsonl --seed 731946208554`,
		Args: wants("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("-o is missing: the file to write")
			}
			var o recording.ScrubOptions
			if network != "" {
				n, err := loadNetwork(network)
				if err != nil {
					return err
				}
				o.Addresses = newNeighbours(n)
			}
			if !cmd.Flags().Changed("seed") {
				var random [8]byte
				rand.Read(random[:])
				seed = binary.LittleEndian.Uint64(random[:])
			}
			return rewrite(cmd, args[0], out, func(w *recording.Writer, r io.Reader) (int, error) {
				return recording.Scrub(w, recording.NewReader(r), seed, o)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "what decides what becomes what; random if not given")
	cmd.Flags().StringVar(&network, "map", "", "network on which the recording was made")
	return cmd
}

func newSortCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "sort FILE -o OUT",
		Short:   "Put a recording's requests in order of time",
		Example: "  footway recordings sort merged.jsonl -o day.jsonl",
		Args:    wants("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("-o is missing: the file to write")
			}
			return rewrite(cmd, args[0], out, func(w *recording.Writer, r io.Reader) (int, error) {
				requests, err := recording.ReadSorted(r)
				if err != nil {
					return 0, err
				}
				for i := range requests {
					if err := w.Write(requests[i]); err != nil {
						return i, err
					}
				}
				return len(requests), nil
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write")
	return cmd
}

// rewrite makes one recording of another, whole or not at all.
func rewrite(cmd *cobra.Command, from, to string, copy func(*recording.Writer, io.Reader) (int, error)) error {
	in, err := os.Open(from)
	if err != nil {
		return usageError{err}
	}
	defer in.Close()
	var n int
	err = writeFile(to, func(f *os.File) (err error) {
		n, err = copy(recording.NewWriter(f), in)
		return err
	})
	if err != nil {
		return inRecording(from, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d requests in %s\n", n, to)
	return nil
}

// inRecording names the file in an error of reading it, which is the caller's if the file is wrong.
func inRecording(path string, err error) error {
	if fault.Is(err, fault.Invalid) {
		return usagef("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
