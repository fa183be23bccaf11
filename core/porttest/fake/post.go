package fake

import (
	"context"
	"fmt"

	"footway/core/delivery"
	"footway/core/integration"
)

// Source is an integration.Source of names and secrets that count.
type Source struct{ n int }

// NewID implements integration.Source.
func (s *Source) NewID() string {
	s.n++
	return fmt.Sprintf("id-%03d", s.n)
}

// NewSecret implements integration.Source.
func (s *Source) NewSecret() integration.Secret {
	s.n++
	return integration.SecretOf(fmt.Appendf(nil, "a secret of thirty-two bytes %03d", s.n))
}

// LossyLineStore is an integration.LineStore whose calls can be lost.
type LossyLineStore struct {
	integration.LineStore
	*Losses
}

// Line implements integration.LineStore.
func (s LossyLineStore) Line(ctx context.Context, endpoint string) (l integration.Line, err error) {
	err = s.Do("Line", func() (err error) { l, err = s.LineStore.Line(ctx, endpoint); return err })
	return l, err
}

// SaveLine implements integration.LineStore.
func (s LossyLineStore) SaveLine(ctx context.Context, l integration.Line, ends ...integration.End) (revision uint64, err error) {
	err = s.Do("SaveLine", func() (err error) { revision, err = s.LineStore.SaveLine(ctx, l, ends...); return err })
	return revision, err
}

// LossyLog is an integration.Log whose reads can be lost.
type LossyLog struct {
	integration.Log
	*Losses
}

// Entries implements integration.Log.
func (l LossyLog) Entries(ctx context.Context, p delivery.PartnerID, after uint64, limit int) (e []integration.Entry, err error) {
	err = l.Do("Entries", func() (err error) { e, err = l.Log.Entries(ctx, p, after, limit); return err })
	return e, err
}
