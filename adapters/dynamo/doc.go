// Package dynamo keeps robots, providers' accounts and tasks in DynamoDB, or in
// whatever speaks its protocol.
//
// # Writes
//
// Each write is of a single item, conditional on the revision that the writer
// read; there are no transactions and no counters. A write carries a random
// attempt id: the SDK repeats a request whose answer was lost, and the repeat of
// a write that happened fails its condition, though the write is ours. The
// store then reads the item back and looks whose attempt made it; see save.
//
// # Reads
//
// What decides is read from the table, strongly consistent. What lists a market
// goes through a secondary index, which lags. An index's partition is
// a market and a shard, so that neither a market nor a status is a hot key; a
// query asks all shards at once and merges their answers in order. Telemetry
// is an item of its own, so that its frequent writes never meet a claim.
//
// # Rights
//
// A process needs these actions on the three tables and their indexes
// (arn:aws:dynamodb:REGION:ACCOUNT:table/PREFIXfleet-robots and …/index/*, and so on):
//
//	dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem   to serve
//	dynamodb:DescribeTable                                                      for Check
//
// CreateTables needs these besides, which a server should not have:
//
//	dynamodb:CreateTable, dynamodb:DescribeTimeToLive, dynamodb:UpdateTimeToLive
package dynamo
