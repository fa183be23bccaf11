package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"footway/core/config"
	"footway/core/market"
	"footway/core/setting"
)

func newConfigShowCommand() *cobra.Command {
	var from documentFlags
	var in string
	var asJSON, changed bool
	cmd := &cobra.Command{
		Use:   "show CONFIG",
		Short: "Show the settings that hold in a market",
		Long: `Show the settings that hold in a market, or in all that have none of their own.
A * marks those that differ from the program's own.

` + documentHelp,
		Example: `  footway config show footway.yaml --market wedgwood
  footway config show footway.yaml --changed
  footway config show footway.yaml --json | jq .settings.dispatch`,
		Args: wants("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := from.load(cmd, args[0])
			if err != nil {
				return err
			}
			m := market.ID(in)
			if in != "" && !slices.Contains(c.Markets(), m) {
				fmt.Fprintf(cmd.ErrOrStderr(), "market %s has no settings of its own here; these are the defaults (%s)\n", in, marketsOf(c))
			}
			if asJSON {
				return showSettingsJSON(cmd.OutOrStdout(), c, m, changed)
			}
			return showSettings(cmd.OutOrStdout(), c.Get(m), changed)
		},
	}
	from.register(cmd)
	cmd.Flags().StringVar(&in, "market", "", "`id` of the market; without it the defaults")
	cmd.Flags().BoolVar(&changed, "changed", false, "only what differs from the program's own")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on standard output")
	return cmd
}

// showSettings writes settings as a table, in the order of the reference.
func showSettings(w io.Writer, s config.Settings, changed bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	own := setting.Fields(config.DefaultSettings())
	for i, f := range setting.Fields(s) {
		mark, was := " ", ""
		if f.Default != own[i].Default {
			mark, was = "*", "instead of "+own[i].Default
		} else if changed {
			continue
		}
		fmt.Fprintf(table, "%s %s\t%s %s\t%s\n", mark, f.Path, f.Default, f.Unit, was)
	}
	return table.Flush()
}

// showSettingsJSON writes settings as a configuration file has them.
func showSettingsJSON(w io.Writer, c *config.Config, m market.ID, changed bool) error {
	shown := struct {
		Version  uint64    `json:"version"`
		Market   market.ID `json:"market"`
		Settings any       `json:"settings"`
	}{c.Version(), m, c.Get(m)}
	if changed {
		shown.Settings = config.Difference(config.DefaultSettings(), c.Get(m))
	}
	return writeJSON(w, shown)
}

func newConfigDiffCommand() *cobra.Command {
	var from documentFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two configurations, setting by setting",
		Long: `Compare two configurations by the settings that hold in the end, whatever their
files look like.

` + documentHelp + `
A and B may be of either kind, in the same region.

The exit code is 0 if all markets have the same settings in both, 1 if not, 2 if something
is wrong with one. Where a fleet that follows A would refuse B for its version, it is said on
standard error.`,
		Example: `  footway config diff footway.yaml tuned.yaml
  footway config diff s3://acme-footway/production.yaml tuned.yaml --region us-west-2`,
		Args: wants("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := from.load(cmd, args[0])
			if err != nil {
				return err
			}
			b, err := from.load(cmd, args[1])
			if err != nil {
				return err
			}
			return showChanges(cmd, a, b, asJSON)
		},
	}
	from.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on standard output")
	return cmd
}

func showChanges(cmd *cobra.Command, a, b *config.Config, asJSON bool) error {
	changes := config.Changes(a, b)
	if err := config.Follows(a, b); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "a fleet that follows A would refuse B: %v\n", plain(err))
	}
	out := cmd.OutOrStdout()
	if asJSON {
		shown := struct {
			A       uint64          `json:"a"`
			B       uint64          `json:"b"`
			Changes []config.Change `json:"changes"`
		}{a.Version(), b.Version(), append([]config.Change{}, changes...)}
		if err := writeJSON(out, shown); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "%s -> %s\n", versionName(a), versionName(b))
		for _, c := range changes {
			fmt.Fprintln(out, c)
		}
		if len(changes) == 0 {
			fmt.Fprintln(out, "the settings are the same")
		}
	}
	if len(changes) > 0 {
		return errUnmet
	}
	return nil
}
