package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/partners"
	"footway/cmd/stores"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
)

// newPartnersCommand returns `footway partners` with its sub-commands.
func newPartnersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "partners",
		Short: "Add partners, issue their keys, and say where they are told",
		Long: `Look after partners: who may ask for deliveries, the keys that they prove it with, and
the endpoints where they are told what happens. What is changed counts within seconds in
services that run.`,
		Example: `  footway partners add acme --name "Acme Foods" --market wedgwood --config footway.yaml
  footway partners keys add acme --config footway.yaml
  footway partners endpoints add acme --url https://hooks.acme.example/footway --config footway.yaml`,
	}
	cmd.AddCommand(newAddPartnerCommand(), newListPartnersCommand(), newShowPartnerCommand(), newSuspendPartnerCommand(), newResumePartnerCommand(),
		newKeysCommand(), newEndpointsCommand())
	return cmd
}

// deskFlags are those that all commands of partners have.
type deskFlags struct {
	deploymentFlags
	json bool
}

func (f *deskFlags) register(cmd *cobra.Command) *cobra.Command {
	f.deploymentFlags.register(cmd, 30*time.Second)
	cmd.Flags().BoolVar(&f.json, "json", false, "JSON on standard output")
	return cmd
}

// tell opens the deployment's desk for ask, and prints the answer.
func (f *deskFlags) tell(cmd *cobra.Command, ask func(context.Context, *partners.Desk, *secret.Resolver) (any, error)) error {
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
	secrets := secret.NewResolver(ring, log)
	desk, err := partners.Open(ctx, d, secrets, log)
	if err != nil {
		return usagef("%s: %w", f.config, plain(err))
	}
	defer desk.Close()
	v, err := ask(ctx, desk, secrets)
	if err != nil {
		return mendable(err)
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
	}
	return partners.Write(cmd.OutOrStdout(), v)
}

// mendable makes what the person at the command line can mend an error of theirs.
func mendable(err error) error {
	if _, ok := errors.AsType[usageError](err); ok {
		return err
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Exhausted:
		return usageError{plain(err)}
	case fault.Internal, fault.Unavailable, fault.Forbidden:
	}
	return err
}

// once reminds that a secret is not shown again.
func (f *deskFlags) once(cmd *cobra.Command, ask func(context.Context, *partners.Desk, *secret.Resolver) (any, error)) error {
	if err := f.tell(cmd, ask); err != nil {
		return err
	}
	_, err := fmt.Fprintln(cmd.ErrOrStderr(), "footway: the signing secret is shown this once; keep it safe")
	return err
}

func newAddPartnerCommand() *cobra.Command {
	var from deskFlags
	var name string
	var markets []string
	var sandbox bool
	var dialect string
	cmd := &cobra.Command{
		Use:   "add ID --name NAME --market MARKET",
		Short: "Add a partner",
		Long: `Add a partner, who may then have keys. Its id is the tenant of everything that it makes,
and is never another's. A sandbox partner reaches only markets with simulated robots; who works in
both is two partners. It may ask in the words of Drive and of Uber Direct, as it likes; --dialect
is in whose words its webhooks are. Repeating it with the same particulars changes nothing.`,
		Example: `  footway partners add acme --name "Acme Foods" --market wedgwood --market ballard
  footway partners add acme-test --name "Acme Foods" --market test --sandbox`,
		Args: wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case name == "":
				return usagef("--name is missing: what people call the partner")
			case len(markets) == 0:
				return usagef("--market is missing: where it may ask for deliveries")
			}
			p := integration.Partner{ID: delivery.PartnerID(args[0]), Name: name, Environment: integration.Live}
			var err error
			if p.Dialect, err = integration.ParseDialect(dialect); err != nil {
				return usagef("--dialect: %w", plain(err))
			}
			if sandbox {
				p.Environment = integration.Sandbox
			}
			for _, m := range markets {
				p.Markets = append(p.Markets, market.ID(m))
			}
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) { return d.Add(ctx, p) })
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what people call it")
	cmd.Flags().StringArrayVar(&markets, "market", nil, "`id` of a market where it may ask for deliveries; may be repeated, the first is where it does not say which")
	cmd.Flags().StringVar(&dialect, "dialect", integration.Drive.String(), "whose words its webhooks are in: drive or uber")
	cmd.Flags().BoolVar(&sandbox, "sandbox", false, "only simulated robots carry its deliveries")
	return from.register(cmd)
}

func newListPartnersCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "list", Short: "List partners", Long: "List all partners, ordered by id.",
		Example: "  footway partners list --config footway.yaml\n  footway partners list --json | jq -r '.[].id'",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) { return d.List(ctx) })
		},
	})
}

func newShowPartnerCommand() *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: "show ID", Short: "Show a partner with its keys and endpoints", Long: "Show a partner with its keys and endpoints, and none of its secrets.",
		Example: "  footway partners show acme",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.Show(ctx, delivery.PartnerID(args[0]))
			})
		},
	})
}

func newSuspendPartnerCommand() *cobra.Command {
	return suspension("suspend", "Let a partner in no more", "Let none of a partner's keys in any more. Deliveries under way go on.", true)
}

func newResumePartnerCommand() *cobra.Command {
	return suspension("resume", "Let a suspended partner in again", "Let a suspended partner's keys in again.", false)
}

func suspension(verb, short, long string, suspended bool) *cobra.Command {
	var from deskFlags
	return from.register(&cobra.Command{
		Use: verb + " ID", Short: short, Long: long,
		Example: "  footway partners " + verb + " acme",
		Args:    wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.tell(cmd, func(ctx context.Context, d *partners.Desk, _ *secret.Resolver) (any, error) {
				return d.Suspend(ctx, delivery.PartnerID(args[0]), suspended)
			})
		},
	})
}
