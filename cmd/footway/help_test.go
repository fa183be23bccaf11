package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp holds every command to a description, and those that are no mere
// groups to examples of themselves that the program takes: right names, right
// flags, right number of arguments.
func TestHelp(t *testing.T) {
	commands := 0
	for c := range everyCommand(newRootCommand()) {
		commands++
		if c.Short == "" || c.Example == "" && !(c.HasParent() && c.HasSubCommands()) {
			t.Errorf("%s: short help %q and example %q, want some of each", c.CommandPath(), c.Short, c.Example)
		}
		if strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: the short help %q ends in a full stop", c.CommandPath(), c.Short)
		}
		for line := range strings.Lines(strings.ReplaceAll(c.Example, "\\\n", " ")) {
			checkExample(t, c, strings.TrimRight(line, "\n"))
		}
	}
	if commands < 10 {
		t.Errorf("found %d commands, want at least 10", commands)
	}
}

func everyCommand(c *cobra.Command) func(func(*cobra.Command) bool) {
	return func(yield func(*cobra.Command) bool) {
		if !yield(c) {
			return
		}
		for _, sub := range c.Commands() {
			for c := range everyCommand(sub) {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// remark is what follows a command in an example: a pipe, or words behind a gap.
var remark = regexp.MustCompile(` \| .*$| {3,}\S.*$`)

func checkExample(t *testing.T, of *cobra.Command, line string) {
	t.Helper()
	text, indented := strings.CutPrefix(line, "  footway ")
	if !indented {
		t.Errorf("%s: example %q, want it to begin with two spaces and footway", of.CommandPath(), line)
		return
	}
	c, args, err := newRootCommand().Find(words(remark.ReplaceAllString(text, "")))
	if err != nil {
		t.Errorf("%s: example %q: %v", of.CommandPath(), line, err)
		return
	}
	if !strings.HasPrefix(c.CommandPath(), of.CommandPath()) {
		t.Errorf("%s: example %q is of %s", of.CommandPath(), line, c.CommandPath())
	}
	if err := c.ParseFlags(args); err != nil {
		t.Errorf("%s: example %q: %v", of.CommandPath(), line, err)
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%s: example %q: %v", of.CommandPath(), line, err)
	}
}

// words splits a command line, with double quotes around words that have spaces.
func words(line string) []string {
	var all []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// TestHelpFits holds help to the width of a terminal, but for flags, whose
// lines the library does not break.
func TestHelpFits(t *testing.T) {
	const width = 100
	for c := range everyCommand(newRootCommand()) {
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if n := len([]rune(line)); n > width {
				t.Errorf("%s: a line of %d characters, want at most %d: %s", c.CommandPath(), n, width, line)
			}
		}
	}
}
