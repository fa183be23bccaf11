package partner

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/big"
	"strconv"
	"testing"

	"footway/core/delivery"
	"footway/core/fleet"
)

// constantsOf returns the values of the string constants of a type in core/delivery.
func constantsOf(t *testing.T, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../core/delivery/delivery.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ {
				s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, s)
			}
		}
		return true
	})
	if len(values) < 3 {
		t.Fatalf("%d constants of type %s; is the parser wrong?", len(values), typ)
	}
	return values
}

// TestStates wants a Drive status for every state there is, and all of Drive's to be used.
func TestStates(t *testing.T) {
	want := map[string]bool{}
	for _, s := range []string{"quote", "created", "confirmed", "enroute_to_pickup", "arrived_at_pickup", "picked_up", "enroute_to_dropoff",
		"arrived_at_dropoff", "delivered", "enroute_to_return", "arrived_at_return", "returned", "cancelled"} {
		want[s] = true
	}
	for _, s := range constantsOf(t, "State") {
		status := statusOf(delivery.State(s))
		if !want[status] {
			t.Errorf("state %s is %q, which is no status of Drive's, or another state's", s, status)
		}
		delete(want, status)
	}
	if len(want) > 0 {
		t.Errorf("no state is %v", want)
	}
}

func TestCancellations(t *testing.T) {
	drives := map[string]bool{"cancelled_by_creator": true, "failed_to_process_payment": true, "failed_to_assign_and_refunded": true,
		"failed_to_pickup": true, "failed_to_deliver": true, "failed_to_return": true}
	for _, r := range constantsOf(t, "Reason") {
		if got := cancellationOf(delivery.Reason(r)); !drives[got] {
			t.Errorf("reason %s is %q, which Drive does not know", r, got)
		}
	}
}

func TestTidyPhone(t *testing.T) {
	for in, want := range map[string]string{
		"+12065550123": "+12065550123", "+1 206 555 0123": "+12065550123", "+1(206)555-0123": "+12065550123", "206-555-0123": "+12065550123",
		"1-206-555-0123": "+12065550123", "001 206 555 0123": "+12065550123", "+44 20 7946 0018": "+442079460018", "0044 20 7946 0018": "+442079460018",
		"+120655500197": "+120655500197", // a digit too many: only the carrier knows
		"":              "", "+": "", "911": "", "555-0123": "", "2065550123456": "", "+1234567890123456": "", "call me": "", "+1206555012x": "", "+02065550123": "", "٠١٢٣٤٥٦٧٨٩": "",
	} {
		got, ok := tidyPhone(in)
		if got != want || ok != (want != "") {
			t.Errorf("tidyPhone(%q) = %q, %t; want %q", in, got, ok, want)
		}
	}
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		in     string
		digits int
		want   int64
		exact  bool
	}{
		{"0", 0, 0, true}, {"12", 0, 12, true}, {"12.0", 0, 12, true}, {"12.5", 0, 13, false}, {"-12.5", 0, -13, false}, {"0.1", 4, 1000, true}, {"0.00001", 4, 1, false},
		{"999.9995", 4, 9_999_995, true}, {"1e2", 0, 100, true}, {"1.5E1", 0, 15, true}, {"15e-1", 4, 15000, true}, {"1e-30", 4, 1, false}, {"0e30", 0, 0, true},
		{"47.683235", 7, 476832350, true}, {"-122.298947", 7, -1222989470, true}, {"0.1000000000000000055511151231257827", 7, 1000001, false},
	} {
		got, exact, err := parseDecimal(c.in, c.digits)
		if err != nil || got != c.want || exact != c.exact {
			t.Errorf("parseDecimal(%q, %d) = %d, %t, %v; want %d, %t", c.in, c.digits, got, exact, err, c.want, c.exact)
		}
	}
	for _, in := range []string{"", "x", "-", ".5", "1e", "1e99", "1e30", "12345678901234567890", "1..2", "0x1", "1_0", `"1"`, "true", "[1]", "NaN"} {
		if got, _, err := parseDecimal(in, 7); err == nil {
			t.Errorf("parseDecimal(%q) = %d, want an error", in, got)
		}
	}
}

// TestUnits compares with exact fractions: never too little, never more than one unit too much.
func TestUnits(t *testing.T) {
	for _, ten := range []int64{0, 1, 9, 4_000, 8_000, 12_345, 280_000, 1_800_000, maxUnits} {
		for name, c := range map[string]struct {
			got    int64
			factor string // target units for one of Drive's
		}{
			"grams":       {grams(ten), "453.59237"},
			"millimetres": {millimetres(ten), "25.4"},
		} {
			factor, _ := new(big.Rat).SetString(c.factor)
			over := new(big.Rat).Sub(new(big.Rat).SetInt64(c.got), factor.Mul(factor, big.NewRat(ten, 10_000)))
			if over.Sign() < 0 || over.Cmp(big.NewRat(1, 1)) >= 0 {
				t.Errorf("%s(%d/10000) = %d: off by %s", name, ten, c.got, over.FloatString(6))
			}
		}
		side, volume := cubeSide(ten), float64(ten)*28316.846592/10
		if v := float64(side) * float64(side) * float64(side); v < math.Floor(volume) || side > 0 && float64(side-1)*float64(side-1)*float64(side-1) > volume+3000 {
			t.Errorf("cubeSide(%d/10000) = %d; the cube has %.0f mm³, want %.0f", ten, side, v, volume)
		}
	}
}

func TestLoadOf(t *testing.T) {
	if got := loadOf(nil); got != (fleet.Load{}) {
		t.Errorf("nothing: %+v, want no load", got)
	}
	items := []item{
		{Quantity: 2, Grams: 700, Sides: [3]int64{300, 200, 50}},
		{Quantity: 1, Grams: 100, Sides: [3]int64{250, 240, 80}},
		{Quantity: 3, Grams: 10}, // of unknown size
	}
	if got, want := loadOf(items), (fleet.Load{LengthMM: 300, WidthMM: 240, HeightMM: 180, Grams: 1530}); got != want {
		t.Errorf("loadOf = %+v, want %+v", got, want)
	}
	huge := []item{{Quantity: 100, Grams: math.MaxInt32, Sides: [3]int64{1, 1, math.MaxInt32}}}
	if got := loadOf(huge); got.Grams != math.MaxInt32 || got.HeightMM != math.MaxInt32 {
		t.Errorf("a huge load is %+v; want it to stay huge", got)
	}
}
