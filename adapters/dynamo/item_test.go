package dynamo

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/task"
)

// TestBadItems has items in the tables that Footway did not write: each read
// says so, and none panics.
func TestBadItems(t *testing.T) {
	t.Parallel()
	db := open(t)
	robots, accounts, tasks := NewFleetStore(db), NewAccountStore(db), NewTaskStore(db)
	telemetry := NewTelemetryStore(db)
	if _, err := tasks.SaveTask(t.Context(), porttest.SampleTask("m", "d1", "r1", 1, 2)); err != nil {
		t.Fatal(err)
	}
	good, err := db.get(t.Context(), "test", db.tables.tasks(), taskPrefix+"d1.1")
	if err != nil {
		t.Fatal(err)
	}
	with := func(base item, attr string, v types.AttributeValue) item {
		i := item{}
		for k, v := range base {
			i[k] = v
		}
		if i[attr] = v; v == nil {
			delete(i, attr)
		}
		return i
	}
	doc, _ := textOf(good, attrDoc)
	for name, i := range map[string]item{
		"no document":        with(good, attrDoc, nil),
		"a number":           with(good, attrDoc, number(7)),
		"no JSON":            with(good, attrDoc, text("{")),
		"another type":       with(good, attrDoc, text(`{"steps":[{"pin":"0420"}],"token":"0420"}`)),
		"another task":       with(good, attrDoc, text(`{"id":"d2.1"}`)),
		"a gap in its log":   with(good, attrDoc, text(strings.Replace(doc, `"seq":2`, `"seq":3`, 1))),
		"no revision":        with(good, attrRev, nil),
		"revision 0":         with(good, attrRev, number(0)),
		"negative revision":  with(good, attrRev, number(-1)),
		"revision is a word": with(good, attrRev, text("x")),
	} {
		store(t, db, db.tables.tasks(), i)
		_, one := tasks.Task(t.Context(), "d1.1")
		_, of := tasks.ActiveOf(t.Context(), "r1")
		_, active := tasks.Active(t.Context(), "m", "", 5)
		_, _, feed := tasks.Changes(t.Context(), "m", "", 5)
		for what, err := range map[string]error{"Task": one, "ActiveOf": of, "Active": active, "Changes": feed} {
			wantFault(t, name+": "+what, err, fault.Internal, "bad_item")
			if err != nil && !strings.Contains(err.Error(), "task/d1.1") {
				t.Errorf("%s: %s: %v: want it to name the item", name, what, err)
			}
			if err != nil && strings.Contains(err.Error(), "0420") {
				t.Errorf("%s: %s: %v: it tells a PIN", name, what, err)
			}
		}
	}
	store(t, db, db.tables.tasks(), with(good, attrEvents, text("x")))
	_, _, err = tasks.Changes(t.Context(), "m", "", 5)
	wantFault(t, "Changes without a count", err, fault.Internal, "bad_item")
	store(t, db, db.tables.tasks(), with(good, attrChanged, text("yesterday")))
	_, _, err = tasks.Changes(t.Context(), "m", "", 5)
	wantFault(t, "Changes without a time", err, fault.Internal, "bad_item")

	for _, k := range []string{robotPrefix + "r1", telemetryPrefix + "r1"} {
		prefix, _, _ := strings.Cut(k, "r1")
		store(t, db, db.tables.robots(), item{attrKey: text(k), attrMarket: text(prefix + shard("m", "r1")), attrDoc: text(`{"id":"r2","robot":"r2"}`), attrRev: number(1)})
	}
	_, err = robots.Robot(t.Context(), "r1")
	wantFault(t, "Robot", err, fault.Internal, "bad_item")
	_, err = robots.Robots(t.Context(), "m")
	wantFault(t, "Robots", err, fault.Internal, "bad_item")
	_, err = telemetry.Telemetry(t.Context(), "r1")
	wantFault(t, "Telemetry", err, fault.Internal, "bad_item")
	_, err = telemetry.AllTelemetry(t.Context(), "m")
	wantFault(t, "AllTelemetry", err, fault.Internal, "bad_item")
	store(t, db, db.tables.accounts(), item{attrKey: text(accountPrefix + "a"), attrDoc: text(`[]`)})
	store(t, db, db.tables.accounts(), item{attrKey: text(dockPrefix + "d"), attrMarket: text(dockPrefix + "m"), attrDoc: text(`{"id":"e"}`)})
	_, err = accounts.Account(t.Context(), "a")
	wantFault(t, "Account", err, fault.Internal, "bad_item")
	_, err = accounts.Docks(t.Context(), "m")
	wantFault(t, "Docks", err, fault.Internal, "bad_item")
}

func store(t *testing.T, db *DB, table string, i item) {
	t.Helper()
	if _, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: i}); err != nil {
		t.Fatal(err)
	}
}

// FuzzItem decodes what may be in a table. What is taken must be what a store
// would write for it.
func FuzzItem(f *testing.F) {
	f.Add("task/d1.1", `{"id":"d1.1","market":"m","token":9223372036854775808,"state":"active","steps":[{"kind":"drive"}],"events":[{"task":"d1.1","seq":1}]}`, "3", "000001772452800000/d1.1", "1")
	f.Add("robot/r1", `{"id":"r1","reservation":{"token":1}}`, "1", "", "")
	f.Add("telemetry/r1", `{"robot":"r1","at":5}`, "1", "", "")
	f.Add("account/a", `{"id":"a"}`, "-1", "x/y", "1e3")
	f.Add("dock/d", `{"id":"d","slots":"many"}`, "", "/", "99999999999999999999")
	f.Fuzz(func(t *testing.T, pk, doc, rev, place, events string) {
		i := item{
			attrKey: text(pk), attrDoc: text(doc), attrRev: &types.AttributeValueMemberN{Value: rev},
			attrChanged: text(place), attrEvents: &types.AttributeValueMemberN{Value: events}, attrExpires: text(rev),
		}
		check := func(what string, err error, right bool) {
			switch {
			case err != nil && (!fault.Is(err, fault.Internal) || fault.ReasonOf(err) != "bad_item"):
				t.Errorf("%s: %v, want a bad item", what, err)
			case err == nil && !right:
				t.Errorf("%s took item %q with document %q at revision %q, place %q", what, pk, doc, rev, place)
			}
		}
		r, err := robotOf("test", i)
		check("robotOf", err, robotPrefix+string(r.ID) == pk && r.Revision > 0)
		x, err := taskOf("test", i)
		check("taskOf", err, taskPrefix+string(x.ID) == pk && x.Revision > 0 && inOrder(x))
		tm, err := telemetryOf("test", i)
		check("telemetryOf", err, telemetryPrefix+string(tm.Robot) == pk)
		a, err := accountOf("test", i)
		check("accountOf", err, accountPrefix+string(a.ID) == pk)
		d, err := dockOf("test", i)
		check("dockOf", err, dockPrefix+string(d.ID) == pk)
		e, err := entryOf("test", i)
		check("entryOf", err, changed(e.at, e.id) == place && e.events >= 0)
		expired(i, 0)
	})
}

func inOrder(x task.Task) bool {
	for n, e := range x.Events {
		if e.Seq != uint64(n)+1 {
			return false
		}
	}
	return true
}

// FuzzCursor reads cursors that anybody may send.
func FuzzCursor(f *testing.F) {
	c := cursor{market: hashMarket("m"), from: changed(1772452800000, "d1.1"), tasks: map[taskHash]given{5: {at: 1772452800001, events: 3}, 6: {at: 1, over: true}}}
	f.Add(string(c.encode()))
	f.Add("")
	f.Add("AQAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor("m", task.Cursor(text))
		if err != nil {
			wantFault(t, "parseCursor", err, fault.Invalid, "cursor")
			return
		}
		c.follows(stamp(5))
		again, err := parseCursor("m", c.encode())
		if err != nil || again.from != c.from || len(again.tasks) != len(c.tasks) {
			t.Errorf("parseCursor of what encode wrote for %q: %v", text, err)
		}
		c.trim(1)
	})
}
