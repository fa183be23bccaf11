package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// recentNetwork is a network that was read, with the hash of its file.
type recentNetwork struct {
	hash    [sha256.Size]byte
	network *maps.Network
}

// chunkBytes is the size of the pieces in which a network file is kept.
const chunkBytes = 1 << 20

// addressForm counts the changes of maps.Directory: rows of addresses that an
// older program made are made anew when the same network is saved again.
const addressForm = 1

// Network implements maps.Store. Of a network that it has read before, it
// reads only the hash.
func (s *MapStore) Network(ctx context.Context, m market.ID) (*maps.Network, error) {
	const op = "postgres.Network"
	hash, err := s.networkHash(ctx, op, m)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	recent := s.recent[m]
	s.mu.Unlock()
	if recent.network != nil && recent.hash == hash {
		return recent.network, nil
	}
	hash, file, err := s.readFile(ctx, op, m)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(file) != hash {
		return nil, fault.New(op, fault.Internal, "damaged_network", "the network of market %q has %d bytes that are not those saved: save it again", m, len(file))
	}
	n, err := maps.Decode(bytes.NewReader(file), s.codec)
	if err != nil {
		return nil, fault.New(op, fault.Internal, "damaged_network", "the network of market %q cannot be read, import it again: %w", m, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent[m] = recentNetwork{hash, n}
	return n, nil
}

func unknownMarket(op string, m market.ID) error {
	return fault.New(op, fault.NotFound, "unknown_market", "no network of market %q", m)
}

func (s *MapStore) networkHash(ctx context.Context, op string, m market.ID) ([sha256.Size]byte, error) {
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var hash []byte
	err := s.db.pool.QueryRow(ctx, `SELECT sha256 FROM networks WHERE market = $1`, string(m)).Scan(&hash)
	if err = translate(op, err); fault.Is(err, fault.NotFound) {
		return [sha256.Size]byte{}, unknownMarket(op, m)
	}
	var sum [sha256.Size]byte
	copy(sum[:], hash)
	return sum, err
}

// readFile returns the network file with its hash. One statement sees one
// state of the database, so that no mix of two files comes.
func (s *MapStore) readFile(ctx context.Context, op string, m market.ID) (hash [sha256.Size]byte, file []byte, err error) {
	err = s.db.bulk(ctx, op, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT n.sha256, n.bytes, c.data FROM networks n JOIN network_chunks c USING (market)
			WHERE n.market = $1 ORDER BY c.number`, string(m))
		if err != nil {
			return err
		}
		var sum, data []byte
		var size int64
		_, err = pgx.ForEachRow(rows, []any{&sum, &size, &data}, func() error {
			if file == nil {
				copy(hash[:], sum)
				file = make([]byte, 0, size)
			}
			file = append(file, data...)
			return nil
		})
		return err
	})
	if err == nil && file == nil {
		err = unknownMarket(op, m)
	}
	return hash, file, err
}

// SaveNetwork implements maps.Store. A network equal to the one that is there
// writes nothing.
func (s *MapStore) SaveNetwork(ctx context.Context, m market.ID, n *maps.Network) error {
	const op = "postgres.SaveNetwork"
	var file bytes.Buffer
	if err := maps.Encode(&file, n, s.codec); err != nil {
		return err
	}
	return s.db.bulk(ctx, op, func(ctx context.Context, tx pgx.Tx) error {
		// The row's lock makes others that replace this network wait for us.
		sum := sha256.Sum256(file.Bytes())
		tag, err := tx.Exec(ctx, `
			INSERT INTO networks AS old (market, version, sha256, bytes, address_form) VALUES ($1, 1, $2, $3, $4)
			ON CONFLICT (market) DO UPDATE
			SET version = old.version + 1, sha256 = excluded.sha256, bytes = excluded.bytes, address_form = excluded.address_form, saved_at = now()
			WHERE (old.sha256, old.address_form) IS DISTINCT FROM (excluded.sha256, excluded.address_form)`,
			string(m), sum[:], file.Len(), addressForm)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := replaceChunks(ctx, tx, m, file.Bytes()); err != nil {
			return err
		}
		return replaceAddresses(ctx, tx, m, n)
	})
}

func replaceChunks(ctx context.Context, tx pgx.Tx, m market.ID, file []byte) error {
	if _, err := tx.Exec(ctx, `DELETE FROM network_chunks WHERE market = $1`, string(m)); err != nil {
		return err
	}
	number := -1
	next := func() ([]any, error) {
		if len(file) == 0 {
			return nil, nil
		}
		chunk := file[:min(len(file), chunkBytes)]
		file = file[len(chunk):]
		number++
		return []any{string(m), number, chunk}, nil
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"network_chunks"}, []string{"market", "number", "data"}, pgx.CopyFromFunc(next))
	return err
}

func replaceAddresses(ctx context.Context, tx pgx.Tx, m market.ID, n *maps.Network) error {
	if _, err := tx.Exec(ctx, `DELETE FROM addresses WHERE market = $1`, string(m)); err != nil {
		return err
	}
	columns := []string{"market", "id", "number", "street", "city", "postcode", "geom", "edge", "offset_mm", "off_mm", "house", "search"}
	list := n.Directory()
	rows := pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		l := &list[i]
		a := &n.Addresses[l.Address]
		return []any{
			string(m), int32(i), plainText(a.Number), plainText(a.Street), plainText(a.City), plainText(a.Postcode),
			pointBytes(a.Point), int32(a.At.Edge), a.At.OffsetMM, a.OffMM, l.House, l.Text,
		}, nil
	})
	copied, err := tx.CopyFrom(ctx, pgx.Identifier{"addresses"}, columns, rows)
	if err == nil && copied != int64(len(list)) {
		return fmt.Errorf("%d of %d addresses were written", copied, len(list))
	}
	return err
}

// plainText returns s without what a column of text cannot hold.
func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
