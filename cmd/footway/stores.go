package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/adapters/wallclock"
	"footway/cmd/stores"
	"footway/core/market"
)

// newStoresCommand returns `footway stores` with its sub-commands.
func newStoresCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stores",
		Short: "Prepare, check and tidy the databases, tables and the broker",
		Long: `Look after what a deployment keeps its state in: three PostgreSQL databases, three
DynamoDB tables, and the exchanges and queues of a RabbitMQ. A deployment file
(--config) says where they are; docs/deployment.md explains it.`,
		Example: `  footway stores prepare --config footway.yaml
  footway stores load-map baltimore.fwnet --market baltimore --config footway.yaml
  footway stores check --config footway.yaml
  footway stores tidy --config footway.yaml`,
	}
	cmd.AddCommand(newPrepareCommand(), newStoresCheckCommand(), newTidyCommand(), newLoadMapCommand())
	return cmd
}

// deploymentFlags say which deployment a command is about.
type deploymentFlags struct {
	config  string
	timeout time.Duration
}

func (f *deploymentFlags) register(cmd *cobra.Command, timeout time.Duration) {
	cmd.Flags().StringVar(&f.config, "config", "footway.yaml", "deployment `file`; docs/deployment.md explains it")
	cmd.Flags().DurationVar(&f.timeout, "timeout", timeout, "give up after this `time`")
}

// with opens the deployment's backends for do. What they have to say that no caller hears
// goes to standard error, without secrets.
func (f *deploymentFlags) with(cmd *cobra.Command, do func(context.Context, *stores.Backends) error) error {
	d, err := stores.ReadDeployment(f.config)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("--config: %w; want a deployment file, see docs/deployment.md", plain(err))
	}
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	ring := &secret.Ring{}
	log := slog.New(secret.Redact(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}), ring))
	b, err := stores.Open(ctx, d, secret.NewResolver(ring, log), log)
	if err != nil {
		return usagef("%s: %w", f.config, err)
	}
	defer b.Close()
	return do(ctx, b)
}

func newPrepareCommand() *cobra.Command {
	var from deploymentFlags
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Make schemas, tables, exchanges and queues",
		Long: `Make what this program needs in each database, in DynamoDB and in RabbitMQ: schemas,
tables with their indexes, exchanges and queues. What is there stays, so it can be
repeated, and is what a new version of the program wants before it starts. The
databases themselves must exist. It needs more rights than a server should have.`,
		Example: "  footway stores prepare --config footway.yaml",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				return tellDone(cmd.OutOrStdout(), "prepared", b.Prepare(ctx), false)
			})
		},
	}
	from.register(cmd, 5*time.Minute)
	return cmd
}

func newStoresCheckCommand() *cobra.Command {
	var from deploymentFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Can everything be reached, and is it what this program expects?",
		Long: `Ask each database, DynamoDB and RabbitMQ whether it can be reached and holds what this
program expects. The exit code is 0 if all is well, 1 if not, 2 if the deployment
file is wrong.`,
		Example: "  footway stores check --config footway.yaml\n  footway stores check --json | jq '.[] | select(.error)'",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				return tellDone(cmd.OutOrStdout(), "ok", b.Check(ctx), asJSON)
			})
		},
	}
	from.register(cmd, 30*time.Second)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON list on standard output")
	return cmd
}

// tellDone prints what became of each backend. It fails if one failed.
func tellDone(w io.Writer, well string, all []stores.Done, asJSON bool) error {
	type line struct {
		Name  string `json:"name"`
		OK    bool   `json:"ok"`
		Error string `json:"error,omitempty"`
	}
	lines := make([]line, len(all))
	failed := false
	for i, d := range all {
		lines[i] = line{Name: d.Name, OK: d.Err == nil}
		if d.Err != nil {
			lines[i].Error = plain(d.Err).Error()
			failed = true
		}
	}
	if asJSON {
		if err := json.NewEncoder(w).Encode(lines); err != nil {
			return err
		}
	} else {
		for _, l := range lines {
			text := well
			if !l.OK {
				text = l.Error
			}
			if _, err := fmt.Fprintf(w, "%-22s %s\n", l.Name, text); err != nil {
				return err
			}
		}
	}
	if failed {
		return errUnmet
	}
	return nil
}

func newTidyCommand() *cobra.Command {
	var from deploymentFlags
	var asJSON bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "tidy",
		Short: "Delete what is older than its retention",
		Long: `Delete what is older than the deployment file's retention: personal data of deliveries
that ended and of quotes that expired, quotes that nobody accepted, rows of the
outbox that were sent, and what partners were told. Run it once a day at least, or
let it go on by itself with --every. Several may run at once.`,
		Example: "  footway stores tidy --config footway.yaml\n  footway stores tidy --config footway.yaml --every 1h",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every != 0 && every < time.Minute {
				return usagef("--every %v: want 1m or more", every)
			}
			for {
				err := from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
					return tidyOnce(ctx, cmd.OutOrStdout(), b, asJSON)
				})
				if every == 0 {
					return err
				}
				if err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "footway: %v; again in %v\n", err, every)
				}
				select {
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				case <-time.After(every):
				}
			}
		},
	}
	from.register(cmd, 10*time.Minute)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on standard output")
	cmd.Flags().DurationVar(&every, "every", 0, "do not end, but do it again after this `time`, such as 1h")
	return cmd
}

func tidyOnce(ctx context.Context, w io.Writer, b *stores.Backends, asJSON bool) error {
	done, err := b.Tidy(ctx, wallclock.Clock{})
	if asJSON {
		if e := json.NewEncoder(w).Encode(done); e != nil {
			return e
		}
		return err
	}
	_, e := fmt.Fprintf(w, "personal data of %d deliveries and quotes, %d expired quotes, %d sent updates, %d events of partners deleted\n",
		done.Personal, done.Quotes, done.Sent, done.Events)
	if err != nil {
		return err
	}
	return e
}

func newLoadMapCommand() *cobra.Command {
	var from deploymentFlags
	var id string
	cmd := &cobra.Command{
		Use:   "load-map NETWORK --market ID",
		Short: "Put a network into the maps database",
		Long: `Put a network into the maps database as a market's, with its addresses for searching. It
replaces the one before it at once; areas and closures of the market stay.

` + networkHelp,
		Example: "  footway stores load-map baltimore.fwnet --market baltimore --config footway.yaml",
		Args:    wants("NETWORK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if id == "" {
				return usagef("--market is missing: the market whose network it is, such as baltimore")
			}
			n, err := loadNetwork(args[0])
			if err != nil {
				return err
			}
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				if err := b.Set().Maps.SaveNetwork(ctx, market.ID(id), n); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is the network of %s: %d edges, %d addresses\n", n.Name, id, len(n.Edges), len(n.Addresses))
				return err
			})
		},
	}
	from.register(cmd, 5*time.Minute)
	cmd.Flags().StringVar(&id, "market", "", "`id` of the market")
	return cmd
}
