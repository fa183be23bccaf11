package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/rabbit"
	"footway/cmd/stores"
	"footway/core/delivery"
	"footway/core/fault"
)

// newDeadLettersCommand returns `footway deadletters` with its sub-commands.
func newDeadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletters",
		Short: "See, replay and drop updates that nobody could take",
		Long: `Look after the updates of deliveries that Integrations could not take: they were
malformed, or came back too often. Later updates of the same delivery wait for
them, so each is somebody's to look at.`,
		Example: `  footway deadletters list --config footway.yaml
  footway deadletters replay --delivery 0197a3c2 --config footway.yaml
  footway deadletters drop 0197a3c2/4 --config footway.yaml`,
	}
	cmd.AddCommand(newListLettersCommand(), newReplayLettersCommand(), newDropLetterCommand())
	return cmd
}

func newListLettersCommand() *cobra.Command {
	var from deploymentFlags
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List dead letters, the oldest first",
		Long:    "List dead letters, the oldest first, and leave them where they are.",
		Example: "  footway deadletters list --config footway.yaml\n  footway deadletters list --json | jq -r '.[].id'",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usagef("--limit %d: want 1 or more", limit)
			}
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				all, err := rabbit.NewDeadLetters(b.Broker).List(ctx, limit)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
				}
				return tellLetters(cmd.OutOrStdout(), all)
			})
		},
	}
	from.register(cmd, time.Minute)
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this `number`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON list on standard output")
	return cmd
}

func tellLetters(w io.Writer, all []rabbit.DeadLetter) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "there are no dead letters")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSINCE\tREASON\tWHAT")
	for i := range all {
		l := &all[i]
		what := l.Wrong
		if l.Update != nil {
			what = fmt.Sprintf("%s of %s, partner %s", l.Update.To, l.Update.Market, l.Update.Partner)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.ID, l.At.UTC().Format(time.RFC3339), l.Reason, what)
	}
	return table.Flush()
}

func newReplayLettersCommand() *cobra.Command {
	var from deploymentFlags
	var which rabbit.Choice
	var id string
	var all bool
	cmd := &cobra.Command{
		Use:   "replay [ID...]",
		Short: "Put dead letters back into their queue",
		Long: `Put dead letters back into the queue that gave them up, as new. One leaves the dead
letters only when the broker has it there, so nothing is lost on the way; what
comes twice, Integrations can tell.`,
		Example: `  footway deadletters replay 0197a3c2/4 --config footway.yaml
  footway deadletters replay --reason delivery_limit --config footway.yaml
  footway deadletters replay --all --config footway.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			which.IDs, which.Delivery = args, delivery.ID(id)
			if len(args) == 0 && id == "" && which.Reason == "" && !all {
				return usagef("which ones? want ids, --delivery, --reason or --all")
			}
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				n, err := rabbit.NewDeadLetters(b.Broker).Replay(ctx, which)
				if err != nil {
					return fmt.Errorf("after %d: %w", n, err)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d put back\n", n)
				return err
			})
		},
	}
	from.register(cmd, 5*time.Minute)
	cmd.Flags().StringVar(&id, "delivery", "", "those of one delivery, by its `id`")
	cmd.Flags().StringVar(&which.Reason, "reason", "", "those that were given up for this `reason`: rejected or delivery_limit")
	cmd.Flags().IntVar(&which.Limit, "limit", 0, "at most this `number`; 0 is as many as there are")
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

func newDropLetterCommand() *cobra.Command {
	var from deploymentFlags
	cmd := &cobra.Command{
		Use:   "drop ID",
		Short: "Delete a dead letter for good",
		Long: `Delete a dead letter for good. The later updates of its delivery go on waiting until it
comes from elsewhere, so drop only what is no update at all, or is known already.`,
		Example: "  footway deadletters drop sha256:5f2c… --config footway.yaml",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.with(cmd, func(ctx context.Context, b *stores.Backends) error {
				err := rabbit.NewDeadLetters(b.Broker).Drop(ctx, args[0])
				if fault.Is(err, fault.NotFound) {
					return usageError{plain(err)}
				}
				return err
			})
		},
	}
	from.register(cmd, time.Minute)
	return cmd
}
