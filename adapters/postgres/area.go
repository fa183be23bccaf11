package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// State implements maps.Store.
func (s *MapStore) State(ctx context.Context, m market.ID) (maps.State, error) {
	const op = "postgres.State"
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var st maps.State
	// One state of the database for all three tables.
	once := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.db.pool, once, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`SELECT revision, speeds FROM map_states WHERE market = $1`, string(m)).QueryRow(func(row pgx.Row) error {
			var revision int64
			err := row.Scan(&revision, &st.Speeds)
			st.Revision = uint64(revision)
			if fault.Is(translate(op, err), fault.NotFound) {
				return nil // never written: nothing in the other tables either
			}
			return err
		})
		b.Queue(selectAreas+` WHERE market = $1 ORDER BY id`, string(m)).Query(func(rows pgx.Rows) (err error) {
			st.Areas, err = collect(rows, scanArea)
			return err
		})
		b.Queue(`SELECT id, edges, ST_AsBinary(geom, 'NDR'), from_ms, until_ms, reason FROM closures WHERE market = $1 ORDER BY id`,
			string(m)).Query(func(rows pgx.Rows) (err error) {
			st.Closures, err = collect(rows, scanClosure)
			return err
		})
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return maps.State{}, translate(op, err)
	}
	return st, nil
}

// collect reads all rows; none is nil.
func collect[T any](rows pgx.Rows, scan pgx.RowToFunc[T]) ([]T, error) {
	return pgx.AppendRows([]T(nil), rows, scan)
}

const selectAreas = `SELECT id, kind, ST_AsBinary(geom, 'NDR'), speed_permille, hours FROM areas`

func scanArea(row pgx.CollectableRow) (maps.Area, error) {
	var a maps.Area
	var geom []byte
	if err := row.Scan(&a.ID, &a.Kind, &geom, &a.SpeedPermille, &a.Hours); err != nil {
		return a, err
	}
	var err error
	a.Polygon, err = readPolygon(geom)
	return a, err
}

func scanClosure(row pgx.CollectableRow) (maps.Closure, error) {
	var c maps.Closure
	var geom []byte
	if err := row.Scan(&c.ID, &c.Edges, &geom, &c.From, &c.Until, &c.Reason); err != nil {
		return c, err
	}
	var err error
	c.Polygon, err = readPolygon(geom)
	return c, err
}

// SaveState implements maps.Store. It fails with fault.Invalid if an area has
// no kind, ids are not in order, or a polygon has fewer than three corners.
func (s *MapStore) SaveState(ctx context.Context, m market.ID, st maps.State) (uint64, error) {
	const op = "postgres.SaveState"
	if err := checkState(op, &st); err != nil {
		return 0, err
	}
	next := st.Revision + 1
	err := s.db.inTx(ctx, op, func(ctx context.Context, tx pgx.Tx) error {
		if err := claimRevision(ctx, op, tx, m, &st); err != nil {
			return err
		}
		return tx.SendBatch(ctx, stateRows(m, &st)).Close()
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

// claimRevision raises the market's revision from st's, or fails with
// fault.Conflict. Whoever comes at the same time waits here, and then finds another revision.
func claimRevision(ctx context.Context, op string, tx pgx.Tx, m market.ID, st *maps.State) error {
	stale := fault.New(op, fault.Conflict, "stale", "market %q: the stored revision is not %d", m, st.Revision)
	if st.Revision >= math.MaxInt64 {
		return stale // never given out
	}
	change := `UPDATE map_states SET revision = revision + 1, speeds = $3 WHERE market = $1 AND revision = $2`
	if st.Revision == 0 {
		change = `INSERT INTO map_states (market, revision, speeds) VALUES ($1, $2::bigint + 1, $3) ON CONFLICT DO NOTHING`
	}
	tag, err := tx.Exec(ctx, change, string(m), int64(st.Revision), st.Speeds)
	if err != nil {
		return err
	}
	switch n := tag.RowsAffected(); n {
	case 0:
		return stale
	case 1:
		return nil
	default:
		return wrongRows(op, n)
	}
}

// stateRows replaces the market's areas and closures.
func stateRows(m market.ID, st *maps.State) *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM areas WHERE market = $1`, string(m))
	b.Queue(`DELETE FROM closures WHERE market = $1`, string(m))
	for i := range st.Areas {
		a := &st.Areas[i]
		b.Queue(`INSERT INTO areas (market, id, kind, geom, speed_permille, hours) VALUES ($1, $2, $3, ST_GeomFromEWKB($4), $5, $6)`,
			string(m), a.ID, string(a.Kind), polygonBytes(a.Polygon), a.SpeedPermille, orNull(a.Hours))
	}
	for i := range st.Closures {
		c := &st.Closures[i]
		b.Queue(`INSERT INTO closures (market, id, edges, geom, from_ms, until_ms, reason) VALUES ($1, $2, $3, ST_GeomFromEWKB($4), $5, $6, $7)`,
			string(m), c.ID, orNull(c.Edges), polygonBytes(c.Polygon), int64(c.From), int64(c.Until), c.Reason)
	}
	return b
}

// orNull makes an empty list none, so that both come back as none.
func orNull[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func checkState(op string, st *maps.State) error {
	bad := func(what, id, why string) error {
		return fault.New(op, fault.Invalid, "bad_state", "%s %q: %s", what, id, why)
	}
	const order, corners = "want ids in order, each once", "want at least three corners"
	for i := range st.Areas {
		a := &st.Areas[i]
		switch {
		case i > 0 && a.ID <= st.Areas[i-1].ID:
			return bad("area", a.ID, order)
		case len(a.Polygon) < 3:
			return bad("area", a.ID, corners)
		case a.Kind != maps.ServiceArea && a.Kind != maps.NoGo && a.Kind != maps.Slow:
			return bad("area", a.ID, "want the kind service, no_go or slow")
		}
	}
	for i := range st.Closures {
		c := &st.Closures[i]
		switch {
		case i > 0 && c.ID <= st.Closures[i-1].ID:
			return bad("closure", c.ID, order)
		case len(c.Polygon) == 1 || len(c.Polygon) == 2:
			return bad("closure", c.ID, corners)
		}
	}
	return nil
}

const areasAround = selectAreas + ` WHERE market = $1 AND geom && ST_GeomFromEWKB($2) ORDER BY id`

// AreasAt implements maps.AddressBook. The index finds the areas whose box
// holds p; the core's exact rule, which knows borders and polygons that cross
// themselves, decides.
func (s *MapStore) AreasAt(ctx context.Context, m market.ID, p maps.Point) ([]maps.Area, error) {
	const op = "postgres.AreasAt"
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	rows, err := s.db.pool.Query(ctx, areasAround, string(m), pointBytes(p))
	if err != nil {
		return nil, translate(op, err)
	}
	around, err := collect(rows, scanArea)
	if err != nil {
		return nil, translate(op, err)
	}
	var out []maps.Area
	for i := range around {
		if around[i].Contains(p) {
			out = append(out, around[i])
		}
	}
	return out, nil
}
