package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/partners"
	"footway/core/clock"
	"footway/core/delivery"
)

// newKeysCommand returns `footway partners keys` with its sub-commands.
func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Issue, list, replace and revoke a partner's keys",
		Long: `Look after the keys that a partner signs its requests with (DD-JWT-V1: developer_id,
key_id and signing_secret). A signing secret is kept sealed and shown once, when its key is made.`,
	}
	cmd.AddCommand(newAddKeyCommand(), newListKeysCommand(), newRotateKeyCommand(), newRevokeKeyCommand())
	return cmd
}

func newAddKeyCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "add ID", Short: "Issue a key", Long: "Make a key of a partner, and print what it signs its requests with. The secret is shown this once.",
		Example: "  footway partners keys add acme\n  footway partners keys add acme --json | jq .key_id",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.once(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.AddKey(ctx, delivery.PartnerID(args[0]))
			})
		},
	})
}

func newListKeysCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "list ID", Short: "List a partner's keys", Long: "List a partner's keys, also those that are of no use any more.",
		Example: "  footway partners keys list acme",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.Keys(ctx, delivery.PartnerID(args[0]))
			})
		},
	})
}

func newRotateKeyCommand() *cobra.Command {
	var from deskFlags
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "rotate ID KEY",
		Short: "Issue a key in place of another",
		Long: `Make a key of a partner in place of one, which is good for a while yet, so that the partner
can change over. The secret is shown this once.`,
		Example: "  footway partners keys rotate acme 0a1b2c3d-0000-4000-8000-000000000000 --grace 72h",
		Args:    wants("ID", "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkGrace(grace); err != nil {
				return err
			}
			return from.once(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.RotateKey(ctx, delivery.PartnerID(args[0]), args[1], clock.Duration(grace.Milliseconds()))
			})
		},
	}
	cmd.Flags().DurationVar(&grace, "grace", 24*time.Hour, "how long the old one is good yet, as a `time`")
	return from.register(cmd)
}

func checkGrace(grace time.Duration) error {
	if grace < 0 {
		return usagef("--grace %v: want 0s or more", grace)
	}
	return nil
}

func newRevokeKeyCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "revoke ID KEY", Short: "Make a key prove nothing from now on", Long: "Make a key prove nothing from now on, and forget its secret. Doors refuse it within seconds.",
		Example: "  footway partners keys revoke acme 0a1b2c3d-0000-4000-8000-000000000000",
		Args:    wants("ID", "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.RevokeKey(ctx, delivery.PartnerID(args[0]), args[1])
			})
		},
	})
}
