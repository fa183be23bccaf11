-- +goose Up

-- What people watch: the deliveries of a partner, newest first. Both columns are written once, so
-- that saves still touch no index.
ALTER TABLE deliveries
    ADD COLUMN quoted_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN store text COLLATE "C" NOT NULL DEFAULT '';
UPDATE deliveries SET
    quoted_at = coalesce((doc->'times'->>'quoted')::bigint, 0),
    store = coalesce(doc->'pickup'->>'store', '');
ALTER TABLE deliveries ALTER COLUMN quoted_at DROP DEFAULT, ALTER COLUMN store DROP DEFAULT;
CREATE INDEX deliveries_board ON deliveries (partner, quoted_at DESC, id DESC);
CREATE INDEX deliveries_store ON deliveries (partner, store, quoted_at DESC, id DESC);
