package dynamo

import (
	"context"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"footway/core/fault"
)

// write is a write of one item on condition that it still has a revision.
type write struct {
	op       string
	table    string
	key      string
	revision uint64 // 0: there must be no such item
	item     item   // without key, revision and attempt, which save adds
	over     uint64 // if above 0: with revision 0 an item that expired before, in seconds since 1970, counts as none
}

// save writes w and returns the new revision, or fails with fault.Conflict.
//
// The SDK repeats a request whose answer was lost. If the first one had its
// effect, the second finds the item changed, by ourselves. So each call has an
// attempt id, which is in the item: when the condition fails, the item is read
// back, and where the id is ours the write is done.
//
// Where the id is another's, ours did not happen if the item is at the revision
// that ours would have given it, since just one write makes each revision. If it is further,
// somebody may have written over ours: then, and if an answer was lost, nobody can tell, which is
// what fault.Unavailable says.
func (db *DB) save(ctx context.Context, w write) (uint64, error) {
	attempt, lost := rand.Text(), false
	next := w.revision + 1
	w.item[attrKey], w.item[attrRev], w.item[attrAttempt] = text(w.key), number(next), text(attempt)
	in := &dynamodb.PutItemInput{TableName: &w.table, Item: w.item}
	w.condition(in)
	_, err := db.client.PutItem(noting(ctx, &lost), in)
	if err == nil {
		return next, nil
	}
	if !refused(err) {
		return 0, translate(w.op, err)
	}
	stored, err := db.get(ctx, w.op, w.table, w.key)
	if err != nil {
		return 0, unknown(err)
	}
	if stored == nil {
		return 0, fault.New(w.op, fault.Conflict, "revision", "%s does not exist; the writer had revision %d", quote(w.key), w.revision)
	}
	revision, err := revisionOf(w.op, stored)
	if err != nil {
		return 0, err
	}
	by, _ := textOf(stored, attrAttempt)
	switch {
	case by == attempt:
		return next, nil
	case lost && revision > next:
		return 0, fault.New(w.op, fault.Unavailable, "unsure", "%s went from revision %d to %d while an answer was lost: whether this write was among them is not known", quote(w.key), w.revision, revision)
	}
	return 0, fault.New(w.op, fault.Conflict, "revision", "%s is at revision %d, not %d", quote(w.key), revision, w.revision)
}

// condition adds to in what must hold for it to be done.
func (w write) condition(in *dynamodb.PutItemInput) {
	if w.revision > 0 {
		in.ConditionExpression = aws.String("#rev = :rev")
		in.ExpressionAttributeNames = map[string]string{"#rev": attrRev}
		in.ExpressionAttributeValues = item{":rev": number(w.revision)}
		return
	}
	in.ConditionExpression = aws.String("attribute_not_exists(#pk)")
	in.ExpressionAttributeNames = map[string]string{"#pk": attrKey}
	if w.over > 0 {
		in.ConditionExpression = aws.String("attribute_not_exists(#pk) OR #expires <= :now")
		in.ExpressionAttributeNames["#expires"] = attrExpires
		in.ExpressionAttributeValues = item{":now": number(w.over)}
	}
}

// unknown makes an error of reading back one that leaves open whether the
// write before it happened.
func unknown(err error) error {
	return &fault.Error{Op: "dynamo.save", Kind: fault.Unavailable, Reason: "unsure", Err: err}
}

func keyItem(pk string) item { return item{attrKey: text(pk)} }

// get returns an item as it is now; nil if there is none.
func (db *DB) get(ctx context.Context, op, table, key string) (item, error) {
	out, err := db.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyItem(key), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, translate(op, err)
	}
	if len(out.Item) == 0 {
		return nil, nil
	}
	return out.Item, nil
}
