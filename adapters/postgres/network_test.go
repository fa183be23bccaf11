package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
	"footway/adapters/zstd"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/rng"

	"github.com/google/go-cmp/cmp"
)

// wideNetwork returns a network called name whose file takes about megabytes,
// whatever the compression, with ten addresses in a street of its name.
func wideNetwork(tb testing.TB, name string, megabytes float64) *maps.Network {
	tb.Helper()
	const west, south = -1_223_000_000, 476_000_000
	b := maps.NewBuilder(name, "nobody")
	ends := [2]maps.NodeID{b.Node(maps.Point{Lon: west, Lat: south}), b.Node(maps.Point{Lon: west + 10_000, Lat: south})}
	b.Stretch(maps.Stretch{From: ends[0], To: ends[1], Name: name})
	for i := range int32(10) {
		b.Address(fmt.Sprint(i+1), name+" Street", "Seattle", "98115", maps.Point{Lon: west + 1000*i, Lat: south})
	}
	draw := rng.Seed(1).Stream("backdrop", name)
	const corners, cornerBytes = 1000, 6.5
	for shape := range uint64(megabytes * 1e6 / corners / cornerBytes) {
		points := make([]maps.Point, corners)
		for i := range points {
			k := 2 * (shape*corners + uint64(i))
			points[i] = maps.Point{Lon: west + int32(draw.N(k, 9_000_000)), Lat: south + int32(draw.N(k+1, 9_000_000))}
		}
		b.Backdrop(maps.BackdropPark, maps.StreetNone, true, "Park", points)
	}
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// mapsDatabase returns the address of an empty maps database, a pool of it and a connection beside the pool.
func mapsDatabase(tb testing.TB) (string, *postgres.DB, *pgx.Conn) {
	tb.Helper()
	address := freshDatabase(tb, postgres.Maps)
	db := open(tb, postgres.Maps, address)
	tb.Cleanup(db.Close)
	conn, err := pgx.Connect(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return address, db, conn
}

// TestNetworkReplacedWhole replaces a network of many pieces time and again
// while others read it and its addresses.
func TestNetworkReplacedWhole(t *testing.T) {
	t.Parallel()
	_, db, _ := mapsDatabase(t)
	versions := []*maps.Network{wideNetwork(t, "Old", 2.5), wideNetwork(t, "New", 4)}
	hashes := map[string]string{versions[0].Hash(): "Old", versions[1].Hash(): "New"}
	writer := postgres.NewMapStore(db, &zstd.Codec{})
	if err := writer.SaveNetwork(t.Context(), "m", versions[0]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer cancel()
		for i := range 12 {
			if err := writer.SaveNetwork(t.Context(), "m", versions[(i+1)%2]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	seen := map[string]int{}
	for ctx.Err() == nil {
		n, err := postgres.NewMapStore(db, &zstd.Codec{}).Network(t.Context(), "m") // which has read none before
		if err != nil {
			t.Fatal(err)
		}
		if hashes[n.Hash()] == "" {
			t.Fatalf("the network read has the hash %s: it is neither the old nor the new one", n.Hash())
		}
		seen[n.Name]++
		found, err := writer.AddressesNear(t.Context(), "m", versions[0].Addresses[0].Point, maps.MaxNearMM, maps.MaxMatches)
		if err != nil || len(found) != 10 {
			t.Fatalf("%d addresses, error %v; want 10", len(found), err)
		}
		for _, m := range found {
			if strings.Contains(m.Address, "Old") != strings.Contains(found[0].Address, "Old") {
				t.Fatalf("addresses of two networks: %q and %q", found[0].Address, m.Address)
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("read %v: want both networks, or nothing was tried", seen)
	}
}

// TestNetworkReplacementCutOff ends the writer's connection in the middle, at the
// database: what was there stays, with its addresses, and saving again works.
func TestNetworkReplacementCutOff(t *testing.T) {
	t.Parallel()
	address, db, conn := mapsDatabase(t)
	s := postgres.NewMapStore(db, &zstd.Codec{})
	old, next := wideNetwork(t, "Old", 1.5), wideNetwork(t, "New", 1.5)
	if err := s.SaveNetwork(t.Context(), "m", old); err != nil {
		t.Fatal(err)
	}
	// Somebody holds the addresses, so that the writer stands still when its chunks are written.
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM addresses FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() { failed <- s.SaveNetwork(t.Context(), "m", next) }()
	killWaiting(t, address)
	if err := <-failed; !fault.Is(err, fault.Unavailable) {
		t.Errorf("SaveNetwork over a connection that ended: %v, want unavailable", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []*maps.Network{old, next} {
		n, err := s.Network(t.Context(), "m")
		if err != nil || n.Hash() != want.Hash() {
			t.Fatalf("the network is not %s: error %v", want.Name, err)
		}
		found, err := s.SearchAddresses(t.Context(), "m", want.Name, nil, 20)
		if err != nil || len(found) != 10 {
			t.Errorf("%d addresses of %s, error %v; want 10", len(found), want.Name, err)
		}
		if err := s.SaveNetwork(t.Context(), "m", next); err != nil {
			t.Fatal(err)
		}
	}
}

// killWaiting ends the one connection that waits for a lock, once there is one.
func killWaiting(t *testing.T, address string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for {
		tag, err := conn.Exec(ctx, kill)
		if err != nil {
			t.Fatal(err)
		}
		if tag.RowsAffected() > 0 {
			return
		}
	}
}

// fingerprint returns the versions of all rows that a network has.
func fingerprint(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var print string
	err := conn.QueryRow(t.Context(), `
		SELECT (SELECT string_agg(ctid::text || version, ' ') FROM networks) || (SELECT string_agg(ctid::text || xmin, ' ') FROM network_chunks)
		    || (SELECT string_agg(ctid::text || xmin, ' ') FROM addresses)`).Scan(&print)
	if err != nil {
		t.Fatal(err)
	}
	return print
}

func TestNetworkSavedAgainWritesNothing(t *testing.T) {
	t.Parallel()
	_, db, conn := mapsDatabase(t)
	s := postgres.NewMapStore(db, &zstd.Codec{})
	if err := s.SaveNetwork(t.Context(), "m", wideNetwork(t, "A", 1.5)); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, conn)
	if err := s.SaveNetwork(t.Context(), "m", wideNetwork(t, "A", 1.5)); err != nil {
		t.Fatal(err)
	}
	if after := fingerprint(t, conn); after != before {
		t.Errorf("saving the same network wrote rows:\n%s\n%s", before, after)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE networks SET address_form = 0; DELETE FROM addresses`); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveNetwork(t.Context(), "m", wideNetwork(t, "A", 1.5)); err != nil {
		t.Fatal(err)
	}
	if found, err := s.SearchAddresses(t.Context(), "m", "1 A", nil, 5); err != nil || len(found) == 0 {
		t.Errorf("addresses that an older program made were not made anew: %v, error %v", found, err)
	}
}

func TestNetworkIsReadOnce(t *testing.T) {
	t.Parallel()
	_, db, conn := mapsDatabase(t)
	s := postgres.NewMapStore(db, &zstd.Codec{})
	if err := s.SaveNetwork(t.Context(), "m", wideNetwork(t, "A", 0.1)); err != nil {
		t.Fatal(err)
	}
	first, err := s.Network(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `ALTER TABLE network_chunks RENAME TO away`); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Network(t.Context(), "m"); err != nil || again != first {
		t.Errorf("the second read is not of what the first read: error %v", err)
	}
	if _, err := conn.Exec(t.Context(), `ALTER TABLE away RENAME TO network_chunks`); err != nil {
		t.Fatal(err)
	}
	if err := postgres.NewMapStore(db, &zstd.Codec{}).SaveNetwork(t.Context(), "m", wideNetwork(t, "B", 0.1)); err != nil { // another process
		t.Fatal(err)
	}
	if n, err := s.Network(t.Context(), "m"); err != nil || n.Name != "B" {
		t.Errorf("what another process saved is not read: error %v", err)
	}
}

func TestNetworkDamaged(t *testing.T) {
	t.Parallel()
	_, db, conn := mapsDatabase(t)
	if err := postgres.NewMapStore(db, &zstd.Codec{}).SaveNetwork(t.Context(), "other", wideNetwork(t, "Other", 2.5)); err != nil {
		t.Fatal(err)
	}
	for i, damage := range []string{
		`UPDATE network_chunks SET data = set_byte(data, 1000, get_byte(data, 1000) # 1) WHERE market = 'm' AND number = 1`,
		`DELETE FROM network_chunks WHERE market = 'm' AND number = 1`,
		`UPDATE network_chunks SET number = 10 WHERE market = 'm' AND number = 0`,
		`UPDATE network_chunks c SET data = o.data FROM network_chunks o WHERE c.market = 'm' AND o.market = 'other' AND c.number = o.number`, // a whole network, and not the one that was saved
	} {
		s := postgres.NewMapStore(db, &zstd.Codec{})
		if err := s.SaveNetwork(t.Context(), "m", wideNetwork(t, fmt.Sprint("v", i), 2.5)); err != nil {
			t.Fatal(err)
		}
		if tag, err := conn.Exec(t.Context(), damage); err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s: %d rows, error %v", damage, tag.RowsAffected(), err)
		}
		if _, err := s.Network(t.Context(), "m"); !fault.Is(err, fault.Internal) || fault.ReasonOf(err) != "damaged_network" {
			t.Errorf("after %s: %v, want damaged_network", damage, err)
		}
	}
}

// TestNetworkOfMuddledText saves addresses with bytes that no column of text takes.
func TestNetworkOfMuddledText(t *testing.T) {
	t.Parallel()
	s := freshMaps(t)
	b := maps.NewBuilder("m\xff\x00", "nobody")
	from, to := b.Node(maps.Point{}), b.Node(maps.Point{Lon: 10_000})
	b.Stretch(maps.Stretch{From: from, To: to, Name: "\xc3"})
	b.Address("1\x00", "A\xffB Street", "\xc3", "\x00", maps.Point{Lon: 500})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SaveNetwork(t.Context(), "m", n); err != nil {
		t.Fatal(err)
	}
	got, err := s.Network(t.Context(), "m")
	if diff := cmp.Diff(n, got); err != nil || diff != "" {
		t.Errorf("error %v (-saved +read)\n%s", err, diff)
	}
}

func TestMissingExtension(t *testing.T) {
	t.Parallel()
	address, _, conn := mapsDatabase(t)
	_, err := conn.Exec(t.Context(), "CREATE EXTENSION footway_no_such_extension")
	if hint := postgres.ExtensionHint(fmt.Errorf("migrate: %w", err)); fault.ReasonOf(hint) != "missing_extension" || !strings.Contains(hint.Error(), "postgresql-15-postgis-3") {
		t.Errorf("a server without an extension: %v, want missing_extension and what to install", hint)
	}
	if other := errors.New("other"); !errors.Is(postgres.ExtensionHint(other), other) {
		t.Error("another error was taken for a missing extension")
	}
	// A user who owns an empty database may still not bring PostGIS into it.
	name := strings.ReplaceAll(address[strings.LastIndex(address, "/")+1:], "fw_", "fw_plain_")
	for _, statement := range []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'plain'", "CREATE DATABASE " + name + " OWNER " + name} {
		mustAdmin(t, address, statement)
	}
	t.Cleanup(func() {
		mustAdmin(t, address, "DROP DATABASE "+name+" WITH (FORCE)")
		mustAdmin(t, address, "DROP ROLE "+name)
	})
	db := open(t, postgres.Maps, withUser(t, addressOf(t, address, name), name, "plain"))
	t.Cleanup(db.Close)
	if err := db.Migrate(t.Context()); fault.ReasonOf(err) != "missing_extension" || !fault.Is(err, fault.Forbidden) || strings.Contains(err.Error(), "plain'") {
		t.Errorf("Migrate as a plain user: %v, want missing_extension", err)
	}
}

func BenchmarkNetwork(b *testing.B) {
	_, db, _ := mapsDatabase(b)
	versions := []*maps.Network{wideNetwork(b, "A", 10), wideNetwork(b, "B", 10)}
	s := postgres.NewMapStore(db, &zstd.Codec{})
	b.Run("Save", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := s.SaveNetwork(b.Context(), "m", versions[i%2]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("SaveSame", func(b *testing.B) {
		for b.Loop() {
			if err := s.SaveNetwork(b.Context(), "m", versions[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Read", func(b *testing.B) {
		for b.Loop() {
			if _, err := postgres.NewMapStore(db, &zstd.Codec{}).Network(b.Context(), "m"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ReadAgain", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Network(b.Context(), "m"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Save100kAddresses", func(b *testing.B) {
		n := bigTown(b, 100_000)
		for i := 0; b.Loop(); i++ {
			n.Name = fmt.Sprint("town ", i)
			n.Attribution = n.Name
			if err := s.SaveNetwork(b.Context(), "town", n); err != nil {
				b.Fatal(err)
			}
		}
	})
}
