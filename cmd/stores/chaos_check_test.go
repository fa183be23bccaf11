package stores_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/adapters/wallclock"
	"footway/core/delivery"
)

// drained reports whether everything was sent and told, as far as numbers say.
func (c *chain) drained() bool {
	count := func(d postgres.Database, query string) (n int, err error) {
		ctx := c.t.Context()
		conn, err := pgx.Connect(ctx, c.address[d])
		if err != nil {
			return 0, err
		}
		defer conn.Close(ctx)
		err = conn.QueryRow(ctx, query).Scan(&n)
		return n, err
	}
	unsent, err := count(postgres.Deliveries, `SELECT count(*) FROM outbox WHERE sent_at IS NULL`)
	if err != nil || unsent > 0 {
		return false
	}
	all, err := count(postgres.Deliveries, `SELECT count(*) FROM outbox`)
	if err != nil {
		return false
	}
	told, err := count(postgres.Integrations, `SELECT count(*) FROM entries`)
	if err != nil || told < all {
		return false
	}
	depth, err := c.broker(c.rabbit.URL()).Depth(c.t.Context())
	return err == nil && depth.Waiting == 0
}

// left is what the servers hold in the end.
type left struct {
	deliveries map[delivery.ID]delivery.Delivery
	outbox     map[delivery.UpdateKey]delivery.Update
	unsent     int
	told       map[delivery.ID][]delivery.Update // in the order of the partner's log
	entries    int
}

// check compares what was promised with what the servers hold.
func (c *chain) check() {
	c.t.Helper()
	l := c.read()
	if l == nil {
		return
	}
	c.checkOrders(l)
	c.checkOutbox(l)
	c.checkTold(l)
	c.checkBroker()
	c.checkPrivacy()
}

// complaints says the first few things that are wrong in the same way. It may be used by many at once.
func (c *chain) complaints(what string) func(format string, args ...any) {
	const enough = 3
	var n atomic.Int64
	c.t.Cleanup(func() {
		if more := n.Load() - enough; more > 0 {
			c.t.Logf("%s: %d more", what, more)
		}
	})
	return func(format string, args ...any) {
		if n.Add(1) <= enough {
			c.t.Errorf(what+": "+format, args...)
		}
	}
}

// checkOrders: an accepted delivery is there once, as its partner left it, and Dispatch was asked for no other.
func (c *chain) checkOrders(l *left) {
	wrong := c.complaints("orders")
	named := map[string][]delivery.Delivery{} // the partners here have no id in common
	for _, d := range l.deliveries {
		named[d.ExternalID] = append(named[d.ExternalID], d)
	}
	for _, o := range c.orders {
		stored := named[o.external]
		if len(stored) > 1 || len(o.ids) > 1 {
			wrong("%s is %d deliveries, and its partner was told of %d; want one", o.external, len(stored), len(o.ids))
		}
		if len(stored) == 0 {
			if len(o.ids) > 0 {
				wrong("%s was acknowledged, and is lost", o.external)
			}
			continue
		}
		d := stored[0]
		if len(o.ids) > 0 && !o.ids[d.ID] {
			wrong("%s is delivery %s, and its partner was told %v", o.external, d.ID, o.ids)
		}
		want := delivery.Requested
		if o.cancelled {
			want = delivery.Cancelled
		}
		if o.accepted && !o.gaveUp && (d.State != want || d.Tip != o.tip || d.Sequence != uint64(o.updates())) {
			wrong("%s is %s with tip %d after %d updates; want %s, %d, %d", o.external, d.State, d.Tip, d.Sequence, want, o.tip, o.updates())
		}
		if o.accepted && d.State == delivery.Quoted {
			wrong("%s was accepted, and is a quote", o.external)
		}
	}
	for id := range c.wanted {
		if _, ok := l.deliveries[id]; !ok {
			wrong("a robot was asked for delivery %s, which there is not", id)
		}
	}
}

// checkOutbox: each delivery has its updates, without a gap, and all were sent.
func (c *chain) checkOutbox(l *left) {
	wrong := c.complaints("outbox")
	if l.unsent > 0 {
		wrong("%d updates are not sent", l.unsent)
	}
	total := 0
	for id, d := range l.deliveries {
		requested := 0
		for s := uint64(1); s <= d.Sequence; s++ {
			u, ok := l.outbox[delivery.UpdateKey{Delivery: id, Sequence: s}]
			if !ok {
				wrong("update %d of %d of delivery %s is not there", s, d.Sequence, id)
			}
			if u.To == delivery.Requested && u.From == delivery.Quoted {
				requested++
			}
		}
		if requested > 1 {
			wrong("delivery %s was accepted %d times", id, requested)
		}
		total += int(d.Sequence)
	}
	if total != len(l.outbox) {
		wrong("it has %d updates; the deliveries have %d", len(l.outbox), total)
	}
	for k, u := range c.saved {
		if stored, ok := l.outbox[k]; !ok || !stored.Same(&u) {
			wrong("update %s/%d was committed, and is not there as it was (-committed +stored):\n%s", k.Delivery, k.Sequence, cmp.Diff(u, stored))
		}
	}
}

// checkTold: partners were told each update once, those of a delivery in order, as they are in the outbox.
func (c *chain) checkTold(l *left) {
	wrong := c.complaints("partners' logs")
	for id, told := range l.told {
		for n, u := range told {
			if u.Sequence != uint64(n+1) {
				wrong("delivery %s: number %d to be told was update %d", id, n+1, u.Sequence)
				break
			}
			if sent, ok := l.outbox[u.Key()]; !ok || !sent.Same(&u) {
				wrong("delivery %s: update %d was told as another (-sent +told):\n%s", id, u.Sequence, cmp.Diff(sent, u))
			}
		}
	}
	for id, d := range l.deliveries {
		if n := len(l.told[id]); uint64(n) != d.Sequence {
			wrong("delivery %s: %d of %d updates were told", id, n, d.Sequence)
		}
	}
	if l.entries != len(l.outbox) {
		wrong("they have %d entries, and the outbox %d updates", l.entries, len(l.outbox))
	}
}

// checkBroker: nothing is left on it.
func (c *chain) checkBroker() {
	b := c.broker(c.rabbit.URL())
	dead, err := rabbit.NewDeadLetters(b).List(c.t.Context(), 3)
	if err != nil || len(dead) > 0 {
		c.t.Errorf("dead letters: %+v, %v; want none", dead, err)
	}
	if depth, err := b.Depth(c.t.Context()); err != nil || depth.Waiting != 0 {
		c.t.Errorf("broker: %+v, %v; want nothing waiting", depth, err)
	}
}

// read returns what the databases hold, or nil if they cannot be read.
func (c *chain) read() *left {
	c.t.Helper()
	ctx := c.t.Context()
	l := &left{deliveries: map[delivery.ID]delivery.Delivery{}, outbox: map[delivery.UpdateKey]delivery.Update{}, told: map[delivery.ID][]delivery.Update{}}
	err := c.rows(postgres.Deliveries, `SELECT doc::text FROM deliveries`, func(row pgx.Rows) error {
		var doc string
		var d delivery.Delivery
		if err := row.Scan(&doc); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(doc), &d); err != nil {
			return err
		}
		l.deliveries[d.ID] = d
		return nil
	})
	if err == nil {
		err = c.rows(postgres.Deliveries, `SELECT doc::text, sent_at IS NULL FROM outbox`, func(row pgx.Rows) error {
			var doc string
			var unsent bool
			if err := row.Scan(&doc, &unsent); err != nil {
				return err
			}
			u, err := delivery.DecodeUpdate([]byte(doc))
			l.outbox[u.Key()] = u
			if unsent {
				l.unsent++
			}
			return err
		})
	}
	if err == nil {
		err = c.readTold(ctx, l)
	}
	if err != nil {
		c.t.Errorf("read what is left: %v", err)
		return nil
	}
	return l
}

// readTold reads the partners' logs as they would.
func (c *chain) readTold(ctx context.Context, l *left) error {
	db := c.open(postgres.Integrations, c.address[postgres.Integrations])
	defer db.Close()
	log := postgres.NewPartnerLog(db, wallclock.Clock{})
	for n := range partners / 2 {
		p := delivery.PartnerID(fmt.Sprintf("p%d", n))
		for at := uint64(0); ; {
			page, err := log.Entries(ctx, p, at, 500)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				if e.Position != at+1 || e.Partner != p {
					return fmt.Errorf("log of %s: after position %d comes %d, for %s", p, at, e.Position, e.Partner)
				}
				at = e.Position
				l.told[e.Delivery] = append(l.told[e.Delivery], e.Update)
				l.entries++
			}
		}
	}
	gaps, err := log.Gaps(ctx, 3)
	if len(gaps) > 0 {
		c.t.Errorf("gaps: %+v; want none", gaps)
	}
	return err
}

// rows gives each row of a query to see.
func (c *chain) rows(d postgres.Database, query string, see func(pgx.Rows) error) error {
	ctx := c.t.Context()
	conn, err := pgx.Connect(ctx, c.address[d])
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := see(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkPrivacy: what identifies people is in the table for it, and nowhere else: in no other table, in no
// message that RabbitMQ ever wrote to its disk, in no log of the servers or the program, in no event and no error.
func (c *chain) checkPrivacy() {
	c.t.Helper()
	marks := []string{secretWord, strings.TrimPrefix(secretPhone, "+"), strings.TrimPrefix(secretPhone2, "+")}
	private := func(where string, text []byte) {
		for _, m := range marks {
			if bytes.Contains(text, []byte(m)) {
				c.t.Errorf("%s holds personal data: %q", where, m)
			}
		}
	}
	private("the program's log", c.logged.text())
	if !bytes.Contains(c.logged.text(), []byte("delivery.requested d0")) {
		c.t.Error("the program's log has no event, so that nothing was searched")
	}
	if text, err := os.ReadFile(c.postgres.Log()); err != nil {
		c.t.Error(err)
	} else {
		private("PostgreSQL's log", text)
	}
	c.searchDisk(private)
	for _, d := range []postgres.Database{postgres.Deliveries, postgres.Integrations} {
		c.searchTables(d, marks)
	}
}

// searchDisk looks through all files of the broker.
func (c *chain) searchDisk(private func(where string, text []byte)) {
	found := false
	err := filepath.WalkDir(filepath.Dir(c.rabbit.Log()), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		private("the broker's file "+path, text)
		found = found || bytes.Contains(text, []byte(`"kind":"state"`))
		return err
	})
	if err != nil {
		c.t.Errorf("search the broker's files: %v", err)
	}
	if !found {
		c.t.Error("no file of the broker holds an update, so that nothing was searched")
	}
}

// searchTables counts rows with personal data in each table of a database.
func (c *chain) searchTables(d postgres.Database, marks []string) {
	var tables []string
	err := c.rows(d, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`, func(row pgx.Rows) error {
		var name string
		err := row.Scan(&name)
		tables = append(tables, name)
		return err
	})
	if err != nil || len(tables) < 3 {
		c.t.Errorf("database %s: tables %q, %v", d, tables, err)
	}
	for _, table := range tables {
		query := fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE r::text ~ '%s') FROM %s r`, strings.Join(marks, "|"), pgx.Identifier{table}.Sanitize())
		err := c.rows(d, query, func(row pgx.Rows) error {
			var all, marked int
			if err := row.Scan(&all, &marked); err != nil {
				return err
			}
			want := 0
			if table == "personal" {
				want = all
			}
			if marked != want {
				c.t.Errorf("table %s of %s: %d of %d rows hold personal data, want %d", table, d, marked, all, want)
			}
			return nil
		})
		if err != nil {
			c.t.Errorf("search table %s: %v", table, err)
		}
	}
}
