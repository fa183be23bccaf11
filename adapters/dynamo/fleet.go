package dynamo

import (
	"cmp"
	"context"
	"slices"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

var _ fleet.Store = (*FleetStore)(nil)

// FleetStore is a fleet.Store in the table fleet-robots.
type FleetStore struct{ db *DB }

// NewFleetStore returns the store in the tables of db.
func NewFleetStore(db *DB) *FleetStore { return &FleetStore{db} }

const (
	robotPrefix     = "robot/"
	telemetryPrefix = "telemetry/"
)

// Robot implements fleet.Store.
func (s *FleetStore) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	const op = "dynamo.Robot"
	if err := checkID(op, "robot", string(id)); err != nil {
		return fleet.Robot{}, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	i, err := s.db.get(ctx, op, s.db.tables.robots(), robotPrefix+string(id))
	if err != nil {
		return fleet.Robot{}, err
	}
	if i == nil {
		return fleet.Robot{}, fault.New(op, fault.NotFound, "", "there is no robot %q", id)
	}
	return robotOf(op, i)
}

// Robots implements fleet.Store. It reads an index, which lags.
func (s *FleetStore) Robots(ctx context.Context, m market.ID) ([]fleet.Robot, error) {
	const op = "dynamo.Robots"
	if err := checkID(op, "market", string(m)); err != nil {
		return nil, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	return inMarket(ctx, s.db, op, robotPrefix, m, robotOf, func(r *fleet.Robot) fleet.RobotID { return r.ID })
}

// SaveRobot implements fleet.Store.
func (s *FleetStore) SaveRobot(ctx context.Context, r fleet.Robot) (revision uint64, err error) {
	const op = "dynamo.SaveRobot"
	if err := checkRobot(op, r.ID, r.Market); err != nil {
		return 0, err
	}
	k := robotPrefix + string(r.ID)
	given := r.Revision
	r.Revision = 0 // kept in an attribute of its own
	doc, err := document(op, k, r)
	if err != nil {
		return 0, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	return s.db.save(ctx, write{op: op, table: s.db.tables.robots(), key: k, revision: given, item: item{
		attrMarket: text(robotPrefix + shard(r.Market, string(r.ID))),
		attrDoc:    doc,
	}})
}

func checkRobot(op string, id fleet.RobotID, m market.ID) error {
	return cmp.Or(checkID(op, "robot", string(id)), checkID(op, "market", string(m)))
}

// robotOf returns the robot that an item keeps.
func robotOf(op string, i item) (r fleet.Robot, err error) {
	if err := parse(op, i, &r); err != nil {
		return fleet.Robot{}, err
	}
	if r.Revision, err = revisionOf(op, i); err != nil {
		return fleet.Robot{}, err
	}
	if k := keyOf(i); k != robotPrefix+string(r.ID) {
		return fleet.Robot{}, badItem(op, k, "it holds robot %s", quote(string(r.ID)))
	}
	return r, nil
}

// inMarket returns all that a market has of one kind in the table of robots, ordered by id.
func inMarket[T any, K cmp.Ordered](ctx context.Context, db *DB, op, prefix string, m market.ID, decode func(op string, i item) (T, error), id func(*T) K) ([]T, error) {
	shards, err := fan(ctx, func(ctx context.Context, n int) ([]T, error) {
		items, err := db.ask(query{
			op: op, table: db.tables.robots(), index: indexMarket, partition: attrMarket, value: prefix + shardOf(m, n),
		}).rest(ctx)
		if err != nil {
			return nil, err
		}
		out := make([]T, len(items))
		for n, i := range items {
			if out[n], err = decode(op, i); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	all := slices.Concat(shards...)
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(id(&a), id(&b)) })
	return all, nil
}
