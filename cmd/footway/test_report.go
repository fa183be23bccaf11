package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The parts of the JUnit XML format that CI systems read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the cases as one suite.
func writeJUnit(w io.Writer, all []*testCase) error {
	suite := junitSuite{Name: "footway", Tests: len(all)}
	var total float64
	for _, c := range all {
		total += c.took.Seconds()
		j := junitCase{Name: c.name, Class: "scenario", File: c.path, Time: fmt.Sprintf("%.3f", c.took.Seconds())}
		if len(c.wrong) > 0 {
			suite.Failures++
			j.Failure = &junitFailure{Message: c.wrong[0], Text: strings.Join(c.wrong, "\n")}
		}
		suite.Cases = append(suite.Cases, j)
	}
	suite.Time = fmt.Sprintf("%.3f", total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// caseJSON is a case for programs.
type caseJSON struct {
	Scenario string   `json:"scenario"`
	File     string   `json:"file"`
	Hash     string   `json:"hash"`
	Events   uint64   `json:"events"`
	WallS    float64  `json:"wall_s"`
	Checks   int      `json:"checks"`
	Passed   bool     `json:"passed"`
	Wrong    []string `json:"wrong"`
}

func casesJSON(all []*testCase) []caseJSON {
	out := make([]caseJSON, len(all))
	for i, c := range all {
		out[i] = caseJSON{
			Scenario: c.name, File: c.path, Hash: c.hash, Events: c.events, WallS: c.took.Seconds(),
			Checks: c.checked, Passed: len(c.wrong) == 0, Wrong: append([]string{}, c.wrong...),
		}
	}
	return out
}
