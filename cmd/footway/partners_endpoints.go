package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/partners"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
)

// newEndpointsCommand returns `footway partners endpoints` with its sub-commands.
func newEndpointsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoints",
		Short: "Say where a partner is told, and how webhooks are signed",
		Long: `Look after the endpoints where a partner is told what happens to its deliveries. Webhooks
are signed as Standard Webhooks has it; the signing secret is kept sealed and shown once,
when it is made.`,
	}
	cmd.AddCommand(newAddEndpointCommand(), newListEndpointsCommand(), newRotateEndpointCommand(),
		endpointStatus("suspend", "Tell an endpoint nothing for now", "Tell an endpoint nothing until it is resumed; then it is told what it missed.", integration.Suspended),
		endpointStatus("resume", "Tell an endpoint again", "Tell a suspended endpoint again, beginning with what it missed.", integration.Active),
		endpointStatus("remove", "Tell an endpoint nothing any more", "Tell an endpoint nothing any more. It stays in the list, as gone.", integration.Gone))
	return cmd
}

func newAddEndpointCommand() *cobra.Command {
	var from deskFlags
	var n integration.NewEndpoint
	var kind, password string
	cmd := &cobra.Command{
		Use:   "add ID --url URL",
		Short: "Add an endpoint",
		Long: `Add an endpoint of a partner, and print what its webhooks are signed with. Beside the
signature they can carry a password (basic), or a token of the partner's own server (oauth2). The
password or client secret is given by reference, since command lines are seen by others.`,
		Example: `  footway partners endpoints add acme --url https://hooks.acme.example/footway
  footway partners endpoints add acme --url https://acme.example/hook --event DASHER_PICKED_UP
  footway partners endpoints add a --url https://a.example/f --auth basic --user u --password env:P`,
		Args: wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.URL == "" {
				return usagef("--url is missing: where the partner is told, such as https://hooks.example.com/footway")
			}
			n.Partner, n.Auth.Kind = delivery.PartnerID(args[0]), integration.AuthKind(kind)
			return from.once(cmd, func(ctx context.Context, d *partners.Desk, secrets *secret.Resolver) (any, error) {
				if password != "" {
					ref, err := secret.Parse(password)
					if err != nil {
						return nil, usagef("--password: %w", plain(err))
					}
					v, err := secrets.Resolve(ref)
					if err != nil {
						return nil, usagef("--password: %w", err)
					}
					n.Password = integration.SecretOf([]byte(v.Reveal()))
				}
				return d.AddEndpoint(ctx, n)
			})
		},
	}
	cmd.Flags().StringVar(&n.URL, "url", "", "where the partner is told; https")
	cmd.Flags().StringArrayVar(&n.Events, "event", nil, "`name` of an event that it wants, such as DASHER_PICKED_UP; may be repeated; default: all")
	cmd.Flags().StringVar(&kind, "auth", string(integration.NoAuth), "what is shown beside the signature: none, basic or oauth2")
	cmd.Flags().StringVar(&n.Auth.User, "user", "", "user, or client id of oauth2")
	cmd.Flags().StringVar(&password, "password", "", "`reference` to the password or client secret: env:NAME or file:/path")
	cmd.Flags().StringVar(&n.Auth.TokenURL, "token-url", "", "where oauth2 gets its tokens")
	cmd.Flags().StringVar(&n.Auth.Scope, "scope", "", "scope of oauth2")
	cmd.Flags().Uint64Var(&n.From, "from", 0, "`position` in the partner's log behind which it begins")
	return from.register(cmd)
}

func newListEndpointsCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "list ID", Short: "List a partner's endpoints", Long: "List a partner's endpoints, also those that are gone.",
		Example: "  footway partners endpoints list acme",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.Endpoints(ctx, delivery.PartnerID(args[0]))
			})
		},
	})
}

func newRotateEndpointCommand() *cobra.Command {
	var from deskFlags
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "rotate ID ENDPOINT",
		Short: "Give an endpoint another signing secret",
		Long: `Give an endpoint another signing secret, which is shown this once. Until the grace is over
its webhooks carry a signature by the old one too, so that the partner can change over.`,
		Example: "  footway partners endpoints rotate acme 0a1b2c3d-0000-4000-8000-000000000000 --grace 72h",
		Args:    wants("ID", "ENDPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkGrace(grace); err != nil {
				return err
			}
			return from.once(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.RotateEndpoint(ctx, delivery.PartnerID(args[0]), args[1], clock.Duration(grace.Milliseconds()))
			})
		},
	}
	cmd.Flags().DurationVar(&grace, "grace", 24*time.Hour, "how long webhooks are signed with the old one too, as a `time`")
	return from.register(cmd)
}

func endpointStatus(verb, short, long string, to integration.Status) *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: verb + " ID ENDPOINT", Short: short, Long: long,
		Example: "  footway partners endpoints " + verb + " acme 0a1b2c3d-0000-4000-8000-000000000000",
		Args:    wants("ID", "ENDPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.SetEndpoint(ctx, delivery.PartnerID(args[0]), args[1], to)
			})
		},
	})
}
