package main

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// Each package in testdata/src says with want comments what is to be reported;
// a finding without a comment fails the test too.
func TestAnalyzer(t *testing.T) {
	t.Setenv("CGO_ENABLED", "0") // a package under test imports net, and there may be no C compiler
	for _, path := range []string{
		"footway/core/orders",
		"footway/core/names",
		"footway/core/sums",
		"footway/core/allow",
		"footway/core/porttest",
		"footway/sim/statements",
		"footway/adapters/free",
	} {
		t.Run(path, func(t *testing.T) {
			analysistest.Run(t, analysistest.TestData(), analyzer, path)
		})
	}
}

func TestGoverned(t *testing.T) {
	tests := []struct {
		path string
		want bool
	}{
		{"footway/core", true},
		{"footway/core/maps", true},
		{"footway/core/maps [footway/core/maps.test]", true},
		{"footway/core/maps.test", false},
		{"footway/sim", true},
		{"footway/sim/kernel", true},
		{"footway/core/porttest", false},
		{"footway/corex", false},
		{"footway/adapters/memory", false},
		{"footway/cmd/footway", false},
		{"gonum.org/v1/gonum/mat", false},
	}
	for _, tt := range tests {
		if got := governed(tt.path); got != tt.want {
			t.Errorf("governed(%q) = %v, want %v", tt.path, got, tt.want)
		}
	}
}
