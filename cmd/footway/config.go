package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/s3"
	"footway/cmd/stores"
	"footway/core/config"
	"footway/core/fault"
)

// newConfigCommand returns `footway config` with its sub-commands.
func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, show and compare configurations of the services",
		Long: `A configuration holds the settings of the services: for all markets, and for single
ones over those. A running fleet follows it, in a file or in a bucket, and takes a new
version when its number is higher and nothing in it is wrong.`,
		Example: `  footway config check footway.yaml
  footway config diff s3://acme-footway/production.yaml footway.yaml --region us-west-2`,
	}
	cmd.AddCommand(newConfigCheckCommand(), newConfigShowCommand(), newConfigDiffCommand())
	return cmd
}

// documentHelp says what CONFIG may be.
const documentHelp = `CONFIG is a YAML file, or s3://bucket/key; credentials are then what AWS finds by itself,
such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine.`

// documentFlags say how to reach an object in a bucket.
type documentFlags struct {
	region, endpoint string
	pathStyle        bool
}

func (f *documentFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.region, "region", "", "`region` of the bucket, such as us-west-2; without it what AWS_REGION or a profile says")
	cmd.Flags().StringVar(&f.endpoint, "endpoint", "", "`address` of a store other than AWS that speaks S3, such as http://127.0.0.1:9000")
	cmd.Flags().BoolVar(&f.pathStyle, "path-style", false, "the bucket is in the path of the address, not in the host's name, as most other stores want it")
}

// openDocument returns the document that ref names.
func (f *documentFlags) openDocument(ctx context.Context, ref string) (config.Document, error) {
	return stores.OpenConfiguration(ctx, ref, s3.Options{Region: f.region, Endpoint: f.endpoint, PathStyle: f.pathStyle})
}

// load reads and checks the configuration that ref names. What is wrong with it or
// with ref is an error of usage; that it cannot be reached is none.
func (f *documentFlags) load(cmd *cobra.Command, ref string) (*config.Config, error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Second)
	defer cancel()
	d, err := f.openDocument(ctx, ref)
	if err != nil {
		return nil, usageError{plain(err)}
	}
	text, _, err := d.Fetch(ctx, "")
	if cmd.Context().Err() != nil {
		return nil, cmd.Context().Err()
	}
	if err != nil {
		switch fault.KindOf(err) {
		case fault.Unavailable, fault.Exhausted:
			return nil, plain(err)
		}
		return nil, usageError{plain(err)}
	}
	c, err := stores.ParseConfig(d.Name(), text)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

func newConfigCheckCommand() *cobra.Command {
	var from documentFlags
	cmd := &cobra.Command{
		Use:   "check CONFIG",
		Short: "Find everything that is wrong with a configuration",
		Long: `Find everything that is wrong with a configuration, each with its line and what
would be right.

` + documentHelp + `

The exit code is 0 if all is well, 2 if something is wrong with it, 1 if it could not be reached.`,
		Example: `  footway config check footway.yaml
  footway config check s3://acme-footway/production.yaml --region us-west-2`,
		Args: wants("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := from.load(cmd, args[0])
			if err != nil {
				return err
			}
			changed := len(config.Changes(config.New(), c))
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, nothing wrong\n%s, %s\n", args[0], versionName(c),
				count(changed, "setting differs from the program's own", "settings differ from the program's own"), marketsOf(c))
			return err
		},
	}
	from.register(cmd)
	return cmd
}

func versionName(c *config.Config) string {
	if c.Version() == 0 {
		return "no version"
	}
	return fmt.Sprintf("version %d", c.Version())
}

func marketsOf(c *config.Config) string {
	ids := c.Markets()
	if len(ids) == 0 {
		return "no market has its own"
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	return count(len(ids), "market has its own: ", "markets have their own: ") + strings.Join(names, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
