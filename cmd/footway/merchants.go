package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/core/account"
	"footway/core/delivery"
	"footway/core/merchant"
)

// newMerchantsCommand returns `footway merchants` with its sub-command.
func newMerchantsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merchants",
		Short: "Let the first person of a business in",
		Long: `Let people of a business in to the pages of merchants. The first one is an admin,
who then invites the others on the page "Team".`,
	}
	cmd.AddCommand(newInviteCommand())
	return cmd
}

// inviteFlags are the flags of `footway merchants invite`.
type inviteFlags struct {
	deploymentFlags
	partner, business, email, name, url string
	json                                bool
}

func newInviteCommand() *cobra.Command {
	f := &inviteFlags{}
	cmd := &cobra.Command{
		Use:   "invite",
		Short: "Make an account of an admin, and print the link of its invitation",
		Long: `Make an account of an admin of a business that is registered, and print the link at which
its password is set. The link holds for a week and works once. An email that has an account is
refused: somebody of the business can send a new invitation from the page "Team".`,
		Example: `  footway merchants invite --partner acme --business gull-bakery \
      --email ana@gull.example --name "Ana Gull" \
      --url https://footway.example --config footway.yaml`,
		Args: wants(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.register(cmd, 30*time.Second)
	flags := cmd.Flags()
	flags.StringVar(&f.partner, "partner", "", "`ID` of the partner under which the business is registered")
	flags.StringVar(&f.business, "business", "", "`ID` of the business")
	flags.StringVar(&f.email, "email", "", "`address` with which to sign in")
	flags.StringVar(&f.name, "name", "", "what to call the person")
	flags.StringVar(&f.url, "url", "", "`address` of the pages, such as https://footway.example")
	flags.BoolVar(&f.json, "json", false, "JSON on standard output")
	for _, name := range []string{"partner", "business", "email", "name", "url"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of that name was just made
		}
	}
	return cmd
}

func (f *inviteFlags) run(cmd *cobra.Command) error {
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
	kept, err := serve.OnBackends(ctx, d, secret.NewResolver(ring, log), log)
	if err != nil {
		return usagef("%s: %w", f.config, plain(err))
	}
	defer kept.Close()
	token, err := f.invite(ctx, kept)
	if err != nil {
		return mendable(err)
	}
	link := strings.TrimSuffix(f.url, "/") + "/merchant/invitation/" + token
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"invitation": link})
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), link)
	return err
}

func (f *inviteFlags) invite(ctx context.Context, kept *serve.Kept) (string, error) {
	key := merchant.BusinessKey{Partner: delivery.PartnerID(f.partner), ID: f.business}
	if _, err := kept.Merchants.Business(ctx, key); err != nil {
		return "", err
	}
	_, token, err := serve.NewAccounts(kept).Found(ctx, key, account.Person{Email: f.email, Name: f.name, Role: account.Admin})
	return token, err
}
