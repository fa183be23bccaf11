package dynamo

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"footway/core/fault"
)

// CreateTables creates the tables and indexes that do not exist, and returns
// when all are active; it waits as long as ctx lets it, and two minutes at
// most. It may be repeated. A table of that name with another key or without one of the
// indexes is left alone: a fault.Conflict says what differs.
func CreateTables(ctx context.Context, client *dynamodb.Client, t Tables) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if t.Logger == nil {
		t.Logger = slog.New(slog.DiscardHandler)
	}
	wanted := t.all()
	for _, want := range wanted {
		got, err := describe(ctx, client, *want.TableName)
		if err != nil {
			return translate(opCreate, err)
		}
		if got != nil {
			continue
		}
		_, err = client.CreateTable(ctx, want)
		if _, raced := errors.AsType[*types.ResourceInUseException](err); err != nil && !raced {
			return translate(opCreate, err)
		}
	}
	for _, want := range wanted {
		if err := await(ctx, client, want); err != nil {
			return err
		}
	}
	return t.expire(ctx, client)
}

// await returns when a table and its indexes are active.
func await(ctx context.Context, client *dynamodb.Client, want *dynamodb.CreateTableInput) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		got, err := describe(ctx, client, *want.TableName)
		if err != nil {
			return translate(opCreate, err)
		}
		if got != nil && usable(got) {
			return differs(want, got) // it may have been there, or be somebody else's by now
		}
		select {
		case <-ctx.Done():
			return fault.New(opCreate, fault.Unavailable, "not_active", "table %s is not active yet: %v", *want.TableName, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

// describe returns what there is of a table; nil if there is none.
func describe(ctx context.Context, client *dynamodb.Client, name string) (*types.TableDescription, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

func usable(t *types.TableDescription) bool {
	for _, i := range t.GlobalSecondaryIndexes {
		if i.IndexStatus != types.IndexStatusActive && i.IndexStatus != types.IndexStatusUpdating {
			return false
		}
	}
	return t.TableStatus == types.TableStatusActive || t.TableStatus == types.TableStatusUpdating
}

// expire has the server delete ended tasks when they are old, where it can.
// Where it cannot they stay, and are not shown.
func (t Tables) expire(ctx context.Context, client *dynamodb.Client) error {
	name := t.tasks()
	now, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err == nil && now.TimeToLiveDescription != nil {
		switch now.TimeToLiveDescription.TimeToLiveStatus {
		case types.TimeToLiveStatusEnabled, types.TimeToLiveStatusEnabling:
			if a := aws.ToString(now.TimeToLiveDescription.AttributeName); a != attrExpires {
				return fault.New(opCreate, fault.Conflict, "table_schema", "table %s: its items expire by attribute %q, not %q", name, a, attrExpires)
			}
			return nil
		}
	}
	if err == nil {
		_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpires), Enabled: aws.Bool(true)},
		})
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "UnknownOperationException" {
		t.Logger.WarnContext(ctx, "this endpoint deletes nothing by its age: tasks that have ended stay in the table", "table", name, "attribute", attrExpires)
		return nil
	}
	return translate(opCreate, err)
}
