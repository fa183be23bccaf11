package delivery_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// wholeUpdate returns an update with every field filled.
func wholeUpdate(t testing.TB) delivery.Update {
	t.Helper()
	var u delivery.Update
	n := 0
	each(reflect.ValueOf(&u).Elem(), func(path string, v reflect.Value) {
		n++
		switch v.Kind() {
		case reflect.String:
			v.SetString(path + `-é<"`)
		case reflect.Uint64, reflect.Uint32:
			v.SetUint(uint64(n))
		case reflect.Int, reflect.Int32, reflect.Int64:
			v.SetInt(int64(n))
		default:
			t.Fatalf("%s is a %s: decide what the codec and Same make of it", path, v.Kind())
		}
	})
	return u
}

// each calls do with every field within v that is no struct.
func each(v reflect.Value, do func(path string, v reflect.Value)) {
	for i := range v.NumField() {
		if f, name := v.Field(i), v.Type().Field(i).Name; f.Kind() == reflect.Struct {
			each(f, func(path string, v reflect.Value) { do(name+"."+path, v) })
		} else {
			do(name, f)
		}
	}
}

func encode(t testing.TB, u delivery.Update) []byte {
	t.Helper()
	b, err := delivery.EncodeUpdate(u)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUpdateThereAndBack(t *testing.T) {
	u := wholeUpdate(t)
	got, err := delivery.DecodeUpdate(encode(t, u))
	if err != nil || got != u {
		t.Errorf("there and back: %+v, %v; want %+v", got, err, u)
	}
}

// TestUpdateOnTheWire holds the bytes still: consumers of other versions read them.
func TestUpdateOnTheWire(t *testing.T) {
	u := delivery.Update{Delivery: "d1", Sequence: 2, Kind: delivery.StateChanged, At: 3, Market: "wedgwood", Partner: "dd", ExternalID: "A1", From: delivery.Quoted, To: delivery.Requested}
	const want = `{"delivery":"d1","sequence":2,"kind":"state","at":3,"market":"wedgwood","partner":"dd","external_id":"A1","from":"quoted","to":"requested",` +
		`"promise":{"pickup_p50":0,"pickup_p90":0,"dropoff_p50":0,"dropoff_p90":0},"expected":{"pickup_p50":0,"pickup_p90":0,"dropoff_p50":0,"dropoff_p90":0},` +
		`"ready_at":0,"fee":0,"tip":0,"route_mm":0,"pickup":{"edge":0,"mm":0},"dropoff":{"edge":0,"mm":0}}`
	if got := string(encode(t, u)); got != want {
		t.Errorf("EncodeUpdate:\n%s\nwant\n%s", got, want)
	}
	later := strings.Replace(want, `"fee":0`, `"fee":0,"weather":{"rain":["yes"]}`, 1)
	if got, err := delivery.DecodeUpdate([]byte(" " + later + "\n")); err != nil || got != u {
		t.Errorf("an update of a later version: %+v, %v; want %+v", got, err, u)
	}
	few := `{"delivery":"d1","sequence":2,"kind":"weather","market":"m","partner":"dd","external_id":"A1","to":"thawed"}`
	if got, err := delivery.DecodeUpdate([]byte(few)); err != nil || got.Kind != "weather" || got.To != "thawed" {
		t.Errorf("an unknown kind: %+v, %v; want it passed on", got, err)
	}
}

// TestUpdatesOfAStoryFit encodes what a delivery really tells.
func TestUpdatesOfAStoryFit(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.after("ready", func() error { return c.Ready(ctx, "d1", c.clock.Now()) })
	c.assign("r1")
	c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started, task.Arrived, task.Confirmed)
	if len(c.sent) < 8 {
		t.Fatalf("the story has %d updates; want those of a whole delivery", len(c.sent))
	}
	for _, u := range c.sent {
		if got, err := delivery.DecodeUpdate(encode(t, u)); err != nil || !got.Same(&u) {
			t.Errorf("%s/%d: %+v, %v; want %+v", u.Delivery, u.Sequence, got, err, u)
		}
	}
}

// TestUpdatesRefused damages a good update, one field after the other.
func TestUpdatesRefused(t *testing.T) {
	refused := func(name string, damage func(*delivery.Update)) {
		t.Helper()
		u := wholeUpdate(t)
		damage(&u)
		if b, err := delivery.EncodeUpdate(u); !fault.Is(err, fault.Invalid) || b != nil {
			t.Errorf("EncodeUpdate, %s: %d bytes, %v; want fault.Invalid", name, len(b), err)
		}
	}
	for name, damage := range map[string]func(*delivery.Update){
		"no delivery":         func(u *delivery.Update) { u.Delivery = "" },
		"no kind":             func(u *delivery.Update) { u.Kind = "" },
		"no market":           func(u *delivery.Update) { u.Market = "" },
		"no partner":          func(u *delivery.Update) { u.Partner = "" },
		"no external id":      func(u *delivery.Update) { u.ExternalID = "" },
		"no state":            func(u *delivery.Update) { u.To = "" },
		"no sequence":         func(u *delivery.Update) { u.Sequence = 0 },
		"sequence out of all": func(u *delivery.Update) { u.Sequence = delivery.MaxSequence + 1 },
		"before 1970":         func(u *delivery.Update) { u.At = -1 },
		"too long in all":     func(u *delivery.Update) { u.Cause = strings.Repeat("x", delivery.MaxUpdate-100) },
		"longer when escaped": func(u *delivery.Update) { u.Store = strings.Repeat("<", delivery.MaxUpdate/3) },
	} {
		refused(name, damage)
	}
	whole := wholeUpdate(t)
	each(reflect.ValueOf(&whole).Elem(), func(path string, v reflect.Value) {
		if v.Kind() != reflect.String {
			return
		}
		for what, value := range map[string]string{"code 0": "a\x00b", "not UTF-8": "a\xff", "huge": strings.Repeat("x", delivery.MaxUpdate+1)} {
			refused(path+" "+what, func(u *delivery.Update) {
				each(reflect.ValueOf(u).Elem(), func(p string, v reflect.Value) {
					if p == path {
						v.SetString(value)
					}
				})
			})
		}
	})
}

func TestMessagesRefused(t *testing.T) {
	good := string(encode(t, wholeUpdate(t)))
	long := delivery.Update{Delivery: "d", Sequence: 1, Kind: "state", Market: "m", Partner: "p", ExternalID: "x", To: "quoted"}
	long.Cause = strings.Repeat("x", delivery.MaxUpdate-len(encode(t, long))-len(`"cause":"",`))
	if _, err := delivery.DecodeUpdate(encode(t, long)); err != nil || len(encode(t, long)) != delivery.MaxUpdate {
		t.Errorf("an update of %d bytes: %v; want it taken", len(encode(t, long)), err)
	}
	for name, message := range map[string]string{
		"empty":                  "",
		"null":                   "null",
		"a list":                 "[" + good + "]",
		"cut off":                good[:len(good)-1],
		"two":                    good + good,
		"something behind":       good + "x",
		"not UTF-8":              strings.Replace(good, "Cause-", "Cause\xff", 1),
		"code 0":                 strings.Replace(good, "Cause-", `Cause\u0000`, 1),
		"a byte too long":        string(encode(t, long)) + " ",
		"words for a number":     strings.Replace(good, `"sequence":2`, `"sequence":"+12065550100"`, 1),
		"a fraction":             strings.Replace(good, `"sequence":2`, `"sequence":2.5`, 1),
		"below 0":                strings.Replace(good, `"sequence":2`, `"sequence":-2`, 1),
		"out of all bounds":      strings.Replace(good, `"sequence":2`, `"sequence":18446744073709551616`, 1),
		"a number for words":     strings.Replace(good, `"partner":"Partner-`, `"partner":12065550100,"x":"`, 1),
		"without its delivery":   `{"sequence":2,"kind":"state","market":"m","partner":"dd","external_id":"A1","to":"quoted"}`,
		"an update within a box": `{"update":` + good + `}`,
	} {
		if message == good {
			t.Fatalf("%s: the message was not damaged", name)
		}
		u, err := delivery.DecodeUpdate([]byte(message))
		if !fault.Is(err, fault.Invalid) || u != (delivery.Update{}) {
			t.Errorf("%s: %+v, %v; want fault.Invalid", name, u, err)
		}
		if err != nil && strings.Contains(err.Error(), "12065550100") {
			t.Errorf("%s: the error repeats a value: %v", name, err)
		}
	}
}

// TestSame asks that every field counts: an update that differs in one is another.
func TestSame(t *testing.T) {
	u, v := wholeUpdate(t), wholeUpdate(t)
	if !u.Same(&v) {
		t.Error("an update is not the same as itself")
	}
	each(reflect.ValueOf(&v).Elem(), func(path string, f reflect.Value) {
		old := reflect.New(f.Type()).Elem()
		old.Set(f)
		f.SetZero()
		if same := u.Same(&v); same && path != "Trace" {
			t.Errorf("%s is lost, and the update is said to be the same", path)
		}
		f.Set(old)
	})
	v.Trace = "" // as an earlier version of the program writes it
	if !u.Same(&v) {
		t.Error("the same update, without its trace, is said to be another")
	}
}

func FuzzDecodeUpdate(f *testing.F) {
	f.Add(encode(f, wholeUpdate(f)))
	f.Add([]byte(`{"delivery":"d","sequence":1,"kind":"state","market":"m","partner":"p","external_id":"x","to":"quoted","at":1e3}`))
	f.Add([]byte(`{"Delivery":"d","delivery":null}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		u, err := delivery.DecodeUpdate(message)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || u != (delivery.Update{}) {
				t.Fatalf("refused with %v and %+v; want fault.Invalid and nothing", err, u)
			}
			return
		}
		first, err := delivery.EncodeUpdate(u)
		if err != nil {
			if strings.Contains(err.Error(), "bytes; want at most") && len(message) > delivery.MaxUpdate/6 {
				return // escapes made it longer
			}
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		again, err := delivery.DecodeUpdate(first)
		if err != nil || again != u {
			t.Fatalf("there and back: %+v, %v; want %+v", again, err, u)
		}
		second, err := delivery.EncodeUpdate(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("two encodings of one update, %v:\n%s\n%s", err, first, second)
		}
	})
}
