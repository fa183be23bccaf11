package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"footway/core/maps"
	"footway/core/market"
)

// listed is a row of addresses.
type listed struct {
	id int32
	maps.Address
}

const addressColumns = `id, number, street, city, postcode, ST_AsBinary(geom, 'NDR'), edge, offset_mm, off_mm`

func scanAddress(row pgx.CollectableRow) (listed, error) {
	var a listed
	var geom []byte
	if err := row.Scan(&a.id, &a.Number, &a.Street, &a.City, &a.Postcode, &geom, &a.At.Edge, &a.At.OffsetMM, &a.OffMM); err != nil {
		return a, err
	}
	var err error
	a.Point, err = readPoint(geom)
	return a, err
}

// SearchAddresses implements maps.AddressBook.
func (s *MapStore) SearchAddresses(ctx context.Context, m market.ID, text string, near *maps.Point, limit int) ([]maps.Match, error) {
	const op = "postgres.SearchAddresses"
	typed, err := maps.ReadTyped(text)
	if err != nil {
		return nil, err
	}
	limit = min(limit, maps.MaxMatches)
	if limit <= 0 || typed.Empty() {
		return nil, nil
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	query, args := fitting(m, &typed, near, limit)
	found, err := queryAddresses(ctx, s.db.pool, query, args)
	if err != nil {
		return nil, translate(op, err)
	}
	if len(found) < limit && typed.Spelling != "" {
		almost, err := s.searchAlmost(ctx, m, &typed, near, found, limit)
		if err != nil {
			return nil, translate(op, err)
		}
		found = append(found, almost...)
	}
	out := make([]maps.Match, len(found))
	for i := range found {
		out[i] = found[i].Match()
	}
	return out, nil
}

// fitting returns the query for the addresses that fit typed, in the order of the port.
func fitting(m market.ID, typed *maps.Typed, near *maps.Point, limit int) (string, []any) {
	w := begin(m, typed)
	for _, forms := range typed.Words {
		w.where = append(w.where, w.like(forms))
	}
	var order []string
	for _, forms := range typed.Place {
		order = append(order, w.like(forms)+"::int")
	}
	rank := ""
	if len(order) > 0 {
		rank = "(" + strings.Join(order, " + ") + ") DESC, "
	}
	rank += fmt.Sprintf("(house = %s) DESC, ", w.arg(typed.House))
	return w.query(rank+w.distance(near), limit)
}

// almost is how much of the trigrams of what was typed an address must share to
// count as spelt almost so: one wrong letter in a word of six leaves half of them.
const almost = "0.4"

// setAlmost makes almost the threshold of "<%" until the end of the transaction,
// and has the index of words used: the planner guesses badly how many rows are alike.
const setAlmost = `SELECT set_config('pg_trgm.word_similarity_threshold', $1, true), set_config('enable_seqscan', 'off', true)`

// searchAlmost returns addresses that are spelt almost as typed, but for those found already.
func (s *MapStore) searchAlmost(ctx context.Context, m market.ID, typed *maps.Typed, near *maps.Point, found []listed, limit int) (more []listed, err error) {
	query, args := almostFitting(m, typed, near, found, limit-len(found))
	err = pgx.BeginTxFunc(ctx, s.db.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setAlmost, almost); err != nil {
			return err
		}
		more, err = queryAddresses(ctx, tx, query, args)
		return err
	})
	return more, err
}

func almostFitting(m market.ID, typed *maps.Typed, near *maps.Point, found []listed, limit int) (string, []any) {
	w := begin(m, typed)
	spelling := w.arg(typed.Spelling)
	have := make([]int32, len(found))
	for i := range found {
		have[i] = found[i].id
	}
	w.where = append(w.where, spelling+" <% search", "NOT id = ANY("+w.arg(have)+")")
	return w.query(fmt.Sprintf("word_similarity(%s, search) DESC, ", spelling)+w.distance(near), limit)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func queryAddresses(ctx context.Context, q querier, query string, args []any) ([]listed, error) {
	// Planned anew each time: which index is best depends on the words.
	rows, err := q.Query(ctx, query, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAddress)
}

// addressQuery builds a query of addresses. What somebody typed goes into arguments only.
type addressQuery struct {
	where []string
	args  []any
}

// begin returns the query for the market's addresses whose number begins like the one typed.
func begin(m market.ID, typed *maps.Typed) *addressQuery {
	w := &addressQuery{}
	w.where = []string{"market = " + w.arg(string(m))}
	if typed.House != "" {
		// A number has figures and small letters, which lie before "~"; LIKE with an
		// argument would not use the index.
		w.where = append(w.where, fmt.Sprintf("house >= %s AND house < %s", w.arg(typed.House), w.arg(typed.House+"~")))
	}
	return w
}

// arg adds an argument and returns its place.
func (w *addressQuery) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

// like is the condition that an address has one of the forms of a word. Forms have
// letters, figures and spaces, never a wildcard.
func (w *addressQuery) like(forms []string) string {
	var either []string
	for _, f := range forms {
		either = append(either, "search LIKE "+w.arg("%"+f+"%"))
	}
	return "(" + strings.Join(either, " OR ") + ")"
}

// distance orders by the distance to near: its square in degrees of latitude, on a plane.
func (w *addressQuery) distance(near *maps.Point) string {
	if near == nil {
		return ""
	}
	lon, lat := degrees(near.Lon), degrees(near.Lat)
	return fmt.Sprintf("((ST_X(geom) - %s) * %s) ^ 2 + (ST_Y(geom) - %s) ^ 2, ",
		w.arg(lon), w.arg(math.Cos(lat*math.Pi/180)), w.arg(lat))
}

func (w *addressQuery) query(order string, limit int) (string, []any) {
	return "SELECT " + addressColumns + " FROM addresses WHERE " + strings.Join(w.where, " AND ") +
		" ORDER BY " + order + "id LIMIT " + w.arg(limit), w.args
}

// AddressesNear implements maps.AddressBook. The index finds those in a box,
// the core's measure decides.
func (s *MapStore) AddressesNear(ctx context.Context, m market.ID, p maps.Point, withinMM int64, limit int) ([]maps.Match, error) {
	const op = "postgres.AddressesNear"
	if err := maps.CheckNear(p, withinMM); err != nil {
		return nil, err
	}
	limit = min(limit, maps.MaxMatches)
	if limit <= 0 {
		return nil, nil
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	query, args := around(m, p, withinMM)
	rows, err := s.db.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, translate(op, err)
	}
	found, err := collect(rows, scanAddress)
	if err != nil {
		return nil, translate(op, err)
	}
	return nearest(found, p, withinMM, limit), nil
}

// around returns the query for the addresses in a box that holds all that is within withinMM of p.
func around(m market.ID, p maps.Point, withinMM int64) (string, []any) {
	west, south, east, north := boxAround(p, withinMM)
	return `SELECT ` + addressColumns + ` FROM addresses WHERE market = $1 AND geom && ST_MakeEnvelope($2, $3, $4, $5, 4326)`,
		[]any{string(m), west, south, east, north}
}

// boxAround returns a box, in degrees, that holds all that is within withinMM of p.
func boxAround(p maps.Point, withinMM int64) (west, south, east, north float64) {
	const mmPerDegree = 111_000_000 // a little less than it is, so that the box is larger
	lon, lat := degrees(p.Lon), degrees(p.Lat)
	up := float64(withinMM)/mmPerDegree + 1e-6
	across := 360.0
	if edge := math.Abs(lat) + up; edge < 89 {
		across = up / math.Cos(edge*math.Pi/180)
	}
	return lon - across, lat - up, lon + across, lat + up
}

func nearest(around []listed, p maps.Point, withinMM int64, limit int) []maps.Match {
	type measured struct {
		mm int64
		*listed
	}
	var in []measured
	for i := range around {
		if mm := maps.Distance(p, around[i].Point); mm <= withinMM {
			in = append(in, measured{mm, &around[i]})
		}
	}
	slices.SortFunc(in, func(a, b measured) int { return cmp.Or(cmp.Compare(a.mm, b.mm), cmp.Compare(a.id, b.id)) })
	var out []maps.Match
	for _, a := range in[:min(len(in), limit)] {
		out = append(out, a.Match())
	}
	return out
}
