package fake

import (
	"context"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// LossyDeliveryStore is a delivery.Store and PersonalStore whose calls can be lost.
type LossyDeliveryStore struct {
	delivery.Store
	delivery.PersonalStore
	*Losses
}

// Delivery implements delivery.Store.
func (s LossyDeliveryStore) Delivery(ctx context.Context, id delivery.ID) (d delivery.Delivery, err error) {
	err = s.Do("Delivery", func() (err error) { d, err = s.Store.Delivery(ctx, id); return err })
	return d, err
}

// ByExternal implements delivery.Store.
func (s LossyDeliveryStore) ByExternal(ctx context.Context, p delivery.PartnerID, externalID string) (d delivery.Delivery, err error) {
	err = s.Do("ByExternal", func() (err error) { d, err = s.Store.ByExternal(ctx, p, externalID); return err })
	return d, err
}

// Create implements delivery.Store.
func (s LossyDeliveryStore) Create(ctx context.Context, d delivery.Delivery, p delivery.Personal, u ...delivery.Update) error {
	return s.Do("Create", func() error { return s.Store.Create(ctx, d, p, u...) })
}

// Save implements delivery.Store.
func (s LossyDeliveryStore) Save(ctx context.Context, d delivery.Delivery, u ...delivery.Update) (revision uint64, err error) {
	err = s.Do("Save", func() (err error) { revision, err = s.Store.Save(ctx, d, u...); return err })
	return revision, err
}

// Personal implements delivery.PersonalStore.
func (s LossyDeliveryStore) Personal(ctx context.Context, id delivery.ID) (p delivery.Personal, err error) {
	err = s.Do("Personal", func() (err error) { p, err = s.PersonalStore.Personal(ctx, id); return err })
	return p, err
}

// SavePersonal implements delivery.PersonalStore.
func (s LossyDeliveryStore) SavePersonal(ctx context.Context, p delivery.Personal) error {
	return s.Do("SavePersonal", func() error { return s.PersonalStore.SavePersonal(ctx, p) })
}

// LossyOutbox is a delivery.Outbox whose calls can be lost.
type LossyOutbox struct {
	delivery.Outbox
	*Losses
}

// Unsent implements delivery.Outbox.
func (o LossyOutbox) Unsent(ctx context.Context, limit int) (u []delivery.Update, err error) {
	err = o.Do("Unsent", func() (err error) { u, err = o.Outbox.Unsent(ctx, limit); return err })
	return u, err
}

// MarkSent implements delivery.Outbox.
func (o LossyOutbox) MarkSent(ctx context.Context, u ...delivery.UpdateKey) error {
	return o.Do("MarkSent", func() error { return o.Outbox.MarkSent(ctx, u...) })
}

// LossyPublisher is a delivery.Publisher whose calls can be lost.
type LossyPublisher struct {
	delivery.Publisher
	*Losses
}

// Publish implements delivery.Publisher.
func (p LossyPublisher) Publish(ctx context.Context, u []delivery.Update) (taken []bool, err error) {
	err = p.Do("Publish", func() (err error) { taken, err = p.Publisher.Publish(ctx, u); return err })
	if fault.Is(err, fault.Unavailable) {
		return nil, err // what arrived is not known
	}
	return taken, err
}

// LossyCursors is a delivery.Cursors whose calls can be lost.
type LossyCursors struct {
	delivery.Cursors
	*Losses
}

// Cursor implements delivery.Cursors.
func (c LossyCursors) Cursor(ctx context.Context, name string) (value string, err error) {
	err = c.Do("Cursor", func() (err error) { value, err = c.Cursors.Cursor(ctx, name); return err })
	return value, err
}

// SaveCursor implements delivery.Cursors.
func (c LossyCursors) SaveCursor(ctx context.Context, name, value string) error {
	return c.Do("SaveCursor", func() error { return c.Cursors.SaveCursor(ctx, name, value) })
}

// LossyDispatch is a delivery.Dispatcher and DecisionFeed whose calls can be lost.
type LossyDispatch struct {
	delivery.Dispatcher
	delivery.DecisionFeed
	*Losses
}

// Estimate implements delivery.Dispatcher.
func (l LossyDispatch) Estimate(ctx context.Context, r dispatch.EstimateRequest) (e dispatch.Estimate, err error) {
	err = l.Do("Estimate", func() (err error) { e, err = l.Dispatcher.Estimate(ctx, r); return err })
	return e, err
}

// Request implements delivery.Dispatcher.
func (l LossyDispatch) Request(ctx context.Context, r dispatch.Request) error {
	return l.Do("Request", func() error { return l.Dispatcher.Request(ctx, r) })
}

// Withdraw implements delivery.Dispatcher.
func (l LossyDispatch) Withdraw(ctx context.Context, m market.ID, id string, attempt int) error {
	return l.Do("Withdraw", func() error { return l.Dispatcher.Withdraw(ctx, m, id, attempt) })
}

// Finish implements delivery.Dispatcher.
func (l LossyDispatch) Finish(ctx context.Context, f dispatch.Finish) error {
	return l.Do("Finish", func() error { return l.Dispatcher.Finish(ctx, f) })
}

// Decisions implements delivery.DecisionFeed.
func (l LossyDispatch) Decisions(ctx context.Context, m market.ID, after dispatch.Cursor, limit int) (d []dispatch.Decision, next dispatch.Cursor, err error) {
	err = l.Do("Decisions", func() (err error) { d, next, err = l.DecisionFeed.Decisions(ctx, m, after, limit); return err })
	return d, next, err
}

// LossyTasks is a delivery.Tasks and TaskFeed whose calls can be lost.
type LossyTasks struct {
	delivery.Tasks
	delivery.TaskFeed
	*Losses
}

// Create implements delivery.Tasks.
func (l LossyTasks) Create(ctx context.Context, r task.CreateRequest) (t task.Task, err error) {
	err = l.Do("Tasks.Create", func() (err error) { t, err = l.Tasks.Create(ctx, r); return err })
	return t, err
}

// Replan implements delivery.Tasks.
func (l LossyTasks) Replan(ctx context.Context, r task.ReplanRequest) error {
	return l.Do("Replan", func() error { return l.Tasks.Replan(ctx, r) })
}

// Cancel implements delivery.Tasks.
func (l LossyTasks) Cancel(ctx context.Context, id task.ID, cause string) error {
	return l.Do("Tasks.Cancel", func() error { return l.Tasks.Cancel(ctx, id, cause) })
}

// Handoff implements delivery.Tasks.
func (l LossyTasks) Handoff(ctx context.Context, r task.HandoffRequest) error {
	return l.Do("Handoff", func() error { return l.Tasks.Handoff(ctx, r) })
}

// Changes implements delivery.TaskFeed.
func (l LossyTasks) Changes(ctx context.Context, m market.ID, after task.Cursor, limit int) (c []task.Change, next task.Cursor, err error) {
	err = l.Do("Changes", func() (err error) { c, next, err = l.TaskFeed.Changes(ctx, m, after, limit); return err })
	return c, next, err
}
