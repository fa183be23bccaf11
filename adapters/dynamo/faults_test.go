package dynamo

import (
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What can happen to one attempt of a request.
type mishap func(ctx context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (middleware.FinalizeOutput, middleware.Metadata, error)

// cut is how the SDK's client reports a connection that broke.
func cut() error { return &smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF} }

func lostBefore(context.Context, func() (middleware.FinalizeOutput, middleware.Metadata, error)) (out middleware.FinalizeOutput, meta middleware.Metadata, err error) {
	return out, meta, cut()
}

func lostAfter(_ context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if out, meta, err := send(); err != nil {
		return out, meta, err
	}
	return middleware.FinalizeOutput{}, middleware.Metadata{}, cut()
}

func throttled(context.Context, func() (middleware.FinalizeOutput, middleware.Metadata, error)) (out middleware.FinalizeOutput, meta middleware.Metadata, err error) {
	if rand.IntN(2) == 0 {
		return out, meta, &types.ProvisionedThroughputExceededException{Message: aws.String("too fast")}
	}
	return out, meta, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "too fast", Fault: smithy.FaultClient}
}

// slowly answers after the attempt's time is over.
func slowly(ctx context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (out middleware.FinalizeOutput, meta middleware.Metadata, err error) {
	if out, meta, err := send(); err != nil {
		return out, meta, err
	}
	<-ctx.Done()
	return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: ctx.Err()}
}

// unread leaves out all that a batch asks for.
func unread(_ context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (middleware.FinalizeOutput, middleware.Metadata, error) {
	out, meta, err := send()
	if batch, ok := out.Result.(*dynamodb.BatchGetItemOutput); ok && err == nil {
		batch.UnprocessedKeys = map[string]types.KeysAndAttributes{}
		for table, items := range batch.Responses {
			keys := make([]item, len(items))
			for n, i := range items {
				keys[n] = keyItem(keyOf(i))
			}
			batch.UnprocessedKeys[table] = types.KeysAndAttributes{Keys: keys, ConsistentRead: aws.Bool(true)}
		}
		batch.Responses = nil
	}
	return out, meta, err
}

// halved leaves out half of what a batch asks for, as a busy server does.
func halved(_ context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (middleware.FinalizeOutput, middleware.Metadata, error) {
	out, meta, err := send()
	batch, ok := out.Result.(*dynamodb.BatchGetItemOutput)
	if err != nil || !ok {
		return out, meta, err
	}
	batch.UnprocessedKeys = map[string]types.KeysAndAttributes{}
	for table, items := range batch.Responses {
		var left []item
		half := (len(items) + 1) / 2
		for _, i := range items[half:] {
			left = append(left, keyItem(keyOf(i)))
		}
		if len(left) > 0 {
			batch.Responses[table] = items[:half]
			batch.UnprocessedKeys[table] = types.KeysAndAttributes{Keys: left, ConsistentRead: aws.Bool(true)}
		}
	}
	return out, meta, nil
}

// meddle returns an option that lets plan choose what happens to an attempt: n
// is its number within its call, from 1; nil lets it be.
func meddle(plan func(operation string, n int) mishap) func(*middleware.Stack) error {
	type number struct{}
	return func(s *middleware.Stack) error {
		count := middleware.InitializeMiddlewareFunc("TestCount", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(context.WithValue(ctx, number{}, new(int)), in)
		})
		act := middleware.FinalizeMiddlewareFunc("TestMishap", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			n := ctx.Value(number{}).(*int)
			*n++
			send := func() (middleware.FinalizeOutput, middleware.Metadata, error) { return next.HandleFinalize(ctx, in) }
			if m := plan(middleware.GetOperationName(ctx), *n); m != nil {
				return m(ctx, send)
			}
			return send()
		})
		return cmp.Or(s.Initialize.Add(count, middleware.Before), s.Finalize.Insert(act, attempts{}.ID(), middleware.After))
	}
}

// often returns a plan by which m strikes one attempt in n, and no call more
// often than its retries can make good.
func often(m mishap, n int) func(string, int) mishap {
	return func(_ string, attempt int) mishap {
		if attempt <= 2 && rand.IntN(n) == 0 {
			return m
		}
		return nil
	}
}

// laggingIndexes answers queries of indexes from what was written some time
// ago, as an eventually consistent index may. It sees all writes of one client.
type laggingIndexes struct {
	visible func(v version) bool

	mu       sync.Mutex
	versions map[string][]version
}

// version is what an item once was.
type version struct {
	key     string
	written time.Time
	item    item
	number  int // of the item's versions, from 1
}

// byLag shows what was written so long ago.
func byLag(lag time.Duration) *laggingIndexes {
	return &laggingIndexes{visible: func(v version) bool { return time.Since(v.written) >= lag }}
}

func (l *laggingIndexes) install(s *middleware.Stack) error {
	return s.Initialize.Add(middleware.InitializeMiddlewareFunc("TestLag", l.handle), middleware.Before)
}

func (l *laggingIndexes) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
	if q, ok := in.Parameters.(*dynamodb.QueryInput); ok && q.IndexName != nil {
		return middleware.InitializeOutput{Result: l.answer(q)}, meta, nil
	}
	out, meta, err = next.HandleInitialize(ctx, in)
	if put, ok := in.Parameters.(*dynamodb.PutItemInput); ok && err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.versions == nil {
			l.versions = map[string][]version{}
		}
		k := *put.TableName + " " + keyOf(put.Item)
		l.versions[k] = append(l.versions[k], version{key: keyOf(put.Item), written: time.Now(), item: put.Item, number: len(l.versions[k]) + 1})
	}
	return out, meta, err
}

// sortKeys are the sort keys of the indexes.
var sortKeys = map[string]string{indexMarket: attrKey, indexActive: attrKey, indexRobot: attrToken, indexFeed: attrChanged}

func (l *laggingIndexes) answer(q *dynamodb.QueryInput) *dynamodb.QueryOutput {
	l.mu.Lock()
	defer l.mu.Unlock()
	by := sortKeys[*q.IndexName]
	place := func(i item) string { s, _ := textOf(i, by); return s }
	wanted, _ := textOf(q.ExpressionAttributeValues, ":p")
	above, bounded := textOf(q.ExpressionAttributeValues, ":s")
	start, started := textOf(q.ExclusiveStartKey, by)
	var found []item
	for k, all := range l.versions {
		if k != *q.TableName+" "+all[0].key {
			continue
		}
		n := len(all) - 1
		for n >= 0 && !l.visible(all[n]) {
			n--
		}
		if n < 0 {
			continue
		}
		i := all[n].item
		partition, ok := textOf(i, q.ExpressionAttributeNames["#p"])
		after := !started || place(i) > start == *q.ScanIndexForward && place(i) != start
		if ok && partition == wanted && (!bounded || place(i) > above) && after {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b item) int {
		if *q.ScanIndexForward {
			return cmp.Compare(place(a), place(b))
		}
		return cmp.Compare(place(b), place(a))
	})
	out := &dynamodb.QueryOutput{Items: found}
	if q.Limit != nil && len(found) > int(*q.Limit) {
		out.Items = found[:*q.Limit]
		last := out.Items[*q.Limit-1]
		out.LastEvaluatedKey = item{attrKey: last[attrKey], by: last[by], q.ExpressionAttributeNames["#p"]: last[q.ExpressionAttributeNames["#p"]]}
	}
	return out
}
