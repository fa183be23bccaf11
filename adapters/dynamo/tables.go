package dynamo

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"footway/core/fault"
	"footway/core/market"
)

// Tables names the tables of an installation.
type Tables struct {
	Prefix string       // begins their names
	Logger *slog.Logger // told what the endpoint cannot do; nil: nobody is
}

func (t Tables) robots() string   { return t.Prefix + "fleet-robots" }
func (t Tables) accounts() string { return t.Prefix + "fleet-provider-accounts" }
func (t Tables) tasks() string    { return t.Prefix + "task-tasks" }
func (t Tables) leases() string   { return t.Prefix + "leases" }

// Attributes. Documents hold everything that no condition and no index needs.
const (
	attrKey     = "pk"       // "robot/r1", "telemetry/r1", "account/acme", "dock/d1", "task/d1.1", "lease/dispatch/m"
	attrDoc     = "doc"      // JSON
	attrRev     = "rev"      // revision
	attrAttempt = "attempt"  // id of the call that wrote it
	attrAt      = "at"       // of telemetry: when, in ms
	attrMarket  = "ms"       // "robot/market/shard", "telemetry/market/shard", "dock/market"
	attrActive  = "active"   // "market/shard", of active tasks only
	attrRobot   = "robot"    // its robot, of active tasks only
	attrToken   = "token"    // order among the active tasks of a robot: its token, then its id
	attrFeed    = "feed"     // "market/shard", of all tasks
	attrChanged = "changed"  // order in the feed: when it was written last, then its id
	attrEvents  = "events"   // how many events it has
	attrExpires = "expires"  // of ended tasks: when it may be deleted, in seconds since 1970 as DynamoDB wants it
	indexMarket = "market"   // robots, telemetry, docks of a market
	indexActive = "active"   // active tasks of a market
	indexRobot  = "by-robot" // active tasks of a robot
	indexFeed   = "feed"     // tasks of a market in the order of their last change
)

// shards is over how many partitions of an index a market is spread. A
// partition takes 1,000 writes a second. It is part of the format: another number
// would not find what this one wrote.
const shards = 8

// shard returns the partition of an index in which a market's item is.
func shard(m market.ID, id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return shardOf(m, int(h.Sum32()%shards))
}

func shardOf(m market.ID, n int) string { return fmt.Sprintf("%s/%d", m, n) }

// all returns the tables as CreateTables makes them and Check wants them.
func (t Tables) all() []*dynamodb.CreateTableInput {
	return []*dynamodb.CreateTableInput{
		table(t.robots(), index(indexMarket, nil, attrMarket, attrKey)),
		table(t.accounts(), index(indexMarket, nil, attrMarket, attrKey)),
		table(t.tasks(),
			index(indexActive, []string{}, attrActive, attrKey),
			index(indexRobot, []string{}, attrRobot, attrToken),
			index(indexFeed, []string{attrEvents}, attrFeed, attrChanged)),
		table(t.leases()),
	}
}

// table returns a table with one key; it and the keys of its indexes are strings.
func table(name string, indexes ...types.GlobalSecondaryIndex) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &name, KeySchema: keySchema([]string{attrKey}), BillingMode: types.BillingModePayPerRequest, GlobalSecondaryIndexes: indexes,
	}
	names := []string{attrKey}
	for _, i := range indexes {
		for _, k := range i.KeySchema {
			names = append(names, *k.AttributeName)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS})
	}
	return in
}

// index returns an index with copies of the attributes: of all if with is nil,
// of keys only if it is empty.
func index(name string, with []string, keys ...string) types.GlobalSecondaryIndex {
	p := &types.Projection{ProjectionType: types.ProjectionTypeAll}
	switch {
	case len(with) > 0:
		p = &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: with}
	case with != nil:
		p.ProjectionType = types.ProjectionTypeKeysOnly
	}
	return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: keySchema(keys), Projection: p}
}

func keySchema(names []string) []types.KeySchemaElement {
	kinds := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}
	out := make([]types.KeySchemaElement, len(names))
	for i, n := range names {
		out[i] = types.KeySchemaElement{AttributeName: aws.String(n), KeyType: kinds[i]}
	}
	return out
}

// differs returns an error unless the table is as wanted. It may have more indexes.
func differs(want *dynamodb.CreateTableInput, got *types.TableDescription) error {
	bad := func(format string, args ...any) error {
		return fault.New("dynamo.Tables", fault.Conflict, "table_schema", "table %s: "+format+"; want a table of Footway's own, or another prefix", append([]any{*want.TableName}, args...)...)
	}
	kinds := map[string]types.ScalarAttributeType{}
	for _, a := range got.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	if w, g := describeKeys(want.KeySchema, nil), describeKeys(got.KeySchema, kinds); w != g {
		return bad("its key is %s, not %s", g, w)
	}
	indexes := map[string]types.GlobalSecondaryIndexDescription{}
	for _, i := range got.GlobalSecondaryIndexes {
		indexes[aws.ToString(i.IndexName)] = i
	}
	for _, i := range want.GlobalSecondaryIndexes {
		have, ok := indexes[*i.IndexName]
		if !ok {
			return bad("it has no index %q", *i.IndexName)
		}
		if w, g := describeKeys(i.KeySchema, nil), describeKeys(have.KeySchema, kinds); w != g {
			return bad("the key of its index %q is %s, not %s", *i.IndexName, g, w)
		}
		if w, g := describeProjection(i.Projection), describeProjection(have.Projection); w != g {
			return bad("its index %q holds %s, not %s", *i.IndexName, g, w)
		}
	}
	return nil
}

// describeKeys returns a key in words; kinds nil means that all are strings.
func describeKeys(keys []types.KeySchemaElement, kinds map[string]types.ScalarAttributeType) string {
	keys = slices.SortedFunc(slices.Values(keys), func(a, b types.KeySchemaElement) int { return cmp.Compare(a.KeyType, b.KeyType) })
	words := make([]string, len(keys))
	for i, k := range keys {
		kind := types.ScalarAttributeTypeS
		if kinds != nil {
			kind = kinds[aws.ToString(k.AttributeName)]
		}
		words[i] = fmt.Sprintf("%s %s %s", k.KeyType, aws.ToString(k.AttributeName), kind)
	}
	return strings.Join(words, ", ")
}

func describeProjection(p *types.Projection) string {
	if p == nil {
		return "nothing"
	}
	return strings.Join(append([]string{string(p.ProjectionType)}, slices.Sorted(slices.Values(p.NonKeyAttributes))...), " ")
}
