package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this program in processes of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"footway": main})
}

// TestScripts runs the program as people and their CI do. Each script has its
// own folder, with the scenario small.yaml in it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // or each process would end a second later
			text, err := os.ReadFile("testdata/small.yaml")
			if err != nil {
				return err
			}
			return os.WriteFile(e.WorkDir+"/small.yaml", text, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      scriptExits,
			"interrupts": scriptInterrupts,
			"jsonkeys":   scriptJSONKeys,
			"jsonsame":   scriptJSONSame,
			"junit":      scriptJUnit,
			"damage":     scriptDamage,
			"files":      scriptFiles,
		},
	})
}

// scriptExits is "exits CODE COMMAND...": the command ends with this code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	if got := exitCode(ts, err); got != want {
		ts.Fatalf("%s: exit %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	if err == nil {
		return 0
	}
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		ts.Fatalf("%v", err)
	}
	return failed.ExitCode()
}

// scriptInterrupts is "interrupts FILES COMMAND...": once more than FILES files
// are in the folder out, the command gets SIGINT, and it ends with code 1.
func scriptInterrupts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupts FILES COMMAND...")
	}
	before, err := strconv.Atoi(args[0])
	ts.Check(err)
	var stderr strings.Builder
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), &stderr
	ts.Check(cmd.Start())
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if entries, err := os.ReadDir(ts.MkAbs("out")); err == nil && len(entries) > before {
			break
		}
		if time.Since(begin) > 10*time.Second {
			ts.Fatalf("no file came into the folder out; killed: %v", errors.Join(cmd.Process.Kill(), cmd.Wait()))
		}
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if got := exitCode(ts, cmd.Wait()); got != exitFailed || stderr.String() != "footway: interrupted\n" {
		ts.Fatalf("interrupted: exit %d and %q, want %d and %q", got, stderr.String(), exitFailed, "footway: interrupted\n")
	}
}

// object reads a file, or stdout or stderr, that is one JSON object.
func object(ts *testscript.TestScript, file string) map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &v); err != nil {
		ts.Fatalf("%s: %v", file, err)
	}
	return v
}

// scriptJSONKeys is "jsonkeys FILE KEY...": the object has these keys and no others.
func scriptJSONKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsonkeys FILE KEY...")
	}
	got, want := slices.Sorted(maps.Keys(object(ts, args[0]))), slices.Sorted(slices.Values(args[1:]))
	if !slices.Equal(got, want) {
		ts.Fatalf("%s: keys %q, want %q", args[0], got, want)
	}
}

// scriptJSONSame is "[!] jsonsame KEY FILE FILE": both objects have the key, with the same value.
func scriptJSONSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: [!] jsonsame KEY FILE FILE")
	}
	key := args[0]
	a, okA := object(ts, args[1])[key]
	b, okB := object(ts, args[2])[key]
	if !okA || !okB {
		ts.Fatalf("%q: in %s %v, in %s %v", key, args[1], okA, args[2], okB)
	}
	if same := reflect.DeepEqual(a, b); same == neg {
		ts.Fatalf("%q: %v in %s, %v in %s", key, a, args[1], b, args[2])
	}
}

// scriptJUnit is "junit FILE TESTS FAILURES": the file is XML with one suite of
// so many cases, of which so many have a failure with a message.
func scriptJUnit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: junit FILE TESTS FAILURES")
	}
	var doc struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []struct {
			Tests    string `xml:"tests,attr"`
			Failures string `xml:"failures,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Time    float64 `xml:"time,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	ts.Check(xml.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	if len(doc.Suites) != 1 {
		ts.Fatalf("%s: %d suites, want 1", args[0], len(doc.Suites))
	}
	suite, failed := doc.Suites[0], 0
	for _, c := range suite.Cases {
		if c.Name == "" || c.Time < 0 {
			ts.Fatalf("%s: a case with the name %q that took %v s", args[0], c.Name, c.Time)
		}
		if c.Failure != nil {
			failed++
			if c.Failure.Message == "" {
				ts.Fatalf("%s: %s failed without a message", args[0], c.Name)
			}
		}
	}
	got := []string{suite.Tests, suite.Failures, strconv.Itoa(len(suite.Cases)), strconv.Itoa(failed)}
	if want := []string{args[1], args[2], args[1], args[2]}; !slices.Equal(got, want) {
		ts.Fatalf("%s: says %s tests and %s failures, has %s and %s; want %s and %s", args[0], got[0], got[1], got[2], got[3], args[1], args[2])
	}
}

// scriptDamage is "damage flip|cut FILE": the byte in the middle is another, or
// the file ends there.
func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] != "flip" && args[0] != "cut" {
		ts.Fatalf("usage: damage flip|cut FILE")
	}
	data := []byte(ts.ReadFile(args[1]))
	middle := len(data) / 2
	data[middle] ^= 0x55
	if args[0] == "cut" {
		data = data[:middle]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// scriptFiles is "files FOLDER NAME...": the folder has these files and no
// others, hidden ones counted.
func scriptFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: files FOLDER NAME...")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(got, want) {
		ts.Fatalf("%s has %q, want %q", args[0], got, want)
	}
}
