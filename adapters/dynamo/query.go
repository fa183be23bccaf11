package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"footway/core/fault"
)

// query asks for the items of one partition, in the order of their sort key.
type query struct {
	op        string
	table     string
	index     string // "": the table itself, strongly consistent
	partition string // attribute
	value     string // of the partition
	sort      string // attribute; "": no bound
	after     string // only items whose sort key is above
	backward  bool
	page      int // items at once; 0: as many as the server gives
}

// pager reads the answer to a query page by page.
type pager struct {
	db   *DB
	in   dynamodb.QueryInput
	op   string
	done bool
}

func (db *DB) ask(q query) *pager {
	in := dynamodb.QueryInput{
		TableName:                 &q.table,
		KeyConditionExpression:    aws.String("#p = :p"),
		ExpressionAttributeNames:  map[string]string{"#p": q.partition},
		ExpressionAttributeValues: item{":p": text(q.value)},
		ScanIndexForward:          aws.Bool(!q.backward),
	}
	if q.sort != "" {
		in.KeyConditionExpression = aws.String("#p = :p AND #s > :s")
		in.ExpressionAttributeNames["#s"] = q.sort
		in.ExpressionAttributeValues[":s"] = text(q.after)
	}
	if q.index != "" {
		in.IndexName = &q.index
	} else {
		in.ConsistentRead = aws.Bool(true)
	}
	page := db.options.PageSize
	if q.page > 0 && (page == 0 || q.page < page) {
		page = q.page
	}
	if page > 0 {
		in.Limit = aws.Int32(int32(min(page, 1_000_000)))
	}
	return &pager{db: db, in: in, op: q.op}
}

// next returns the next page, which may be empty before the end.
func (p *pager) next(ctx context.Context) ([]item, error) {
	out, err := p.db.client.Query(ctx, &p.in)
	if err != nil {
		return nil, translate(p.op, err)
	}
	p.in.ExclusiveStartKey, p.done = out.LastEvaluatedKey, len(out.LastEvaluatedKey) == 0
	return out.Items, nil
}

// rest returns all that is left.
func (p *pager) rest(ctx context.Context) (all []item, err error) {
	for !p.done {
		page, err := p.next(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// fan calls f for each shard at once, and returns what they returned, in the
// order of the shards. The first error ends the others.
func fan[T any](ctx context.Context, f func(ctx context.Context, n int) (T, error)) ([]T, error) {
	out := make([]T, shards)
	g, ctx := errgroup.WithContext(ctx)
	for n := range shards {
		g.Go(func() (err error) {
			out[n], err = f(ctx, n)
			return err
		})
	}
	return out, g.Wait()
}

// batchSize is how many items DynamoDB reads at once at most.
const batchSize = 100

// batch returns the items with the keys, as they are now; those that do not
// exist are left out. No key may be there twice.
func (db *DB) batch(ctx context.Context, op, table string, keys []string) (map[string]item, error) {
	found := make(map[string]item, len(keys))
	size := batchSize
	if db.options.PageSize > 0 {
		size = min(size, db.options.PageSize)
	}
	for len(keys) > 0 {
		n := min(size, len(keys))
		if err := db.batchOnce(ctx, op, table, keys[:n], found); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return found, nil
}

// batchOnce reads items that fit one request. The server may leave some out,
// because of their size or because it is busy: those are asked for again.
func (db *DB) batchOnce(ctx context.Context, op, table string, keys []string, found map[string]item) error {
	want := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, k := range keys {
		want.Keys = append(want.Keys, keyItem(k))
	}
	pause := backoff(db.options.Retries.MaxBackoff)
	for idle := 1; ; idle++ {
		out, err := db.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: want}})
		if err != nil {
			return translate(op, err)
		}
		for _, i := range out.Responses[table] {
			found[keyOf(i)] = i
		}
		left := out.UnprocessedKeys[table].Keys
		switch {
		case len(left) == 0:
			return nil
		case len(left) < len(want.Keys):
			idle = 0
		case idle >= db.options.Retries.MaxAttempts:
			return fault.New(op, fault.Unavailable, "throttled", "%d of %d items were not read in %d tries", len(left), len(keys), idle)
		}
		want.Keys = left
		wait, err := pause.BackoffDelay(max(idle, 1), nil)
		if err != nil {
			return translate(op, err)
		}
		select {
		case <-ctx.Done():
			return translate(op, ctx.Err())
		case <-time.After(wait):
		}
	}
}
