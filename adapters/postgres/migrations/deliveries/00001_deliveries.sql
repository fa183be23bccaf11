-- +goose Up

-- Ids sort by bytes, as they do in the program, whatever the database's language.
-- Times are milliseconds since 1970 by the clock of the program, but for created_at and sent_at.

-- Quotes and deliveries. The document is the whole; columns repeat what is searched for.
CREATE TABLE deliveries (
    id          text COLLATE "C" PRIMARY KEY,
    market      text COLLATE "C" NOT NULL,
    partner     text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL, -- the partner's own id
    revision    bigint NOT NULL CHECK (revision > 0),
    state       text NOT NULL CHECK (state <> ''),
    open        boolean NOT NULL, -- somebody must still care for it
    over_at     bigint,           -- when a quote expires, or a delivery ended; null: it is under way
    personal    boolean NOT NULL DEFAULT true, -- there is a row of personal
    created_at  timestamptz NOT NULL DEFAULT now(),
    quoted      boolean NOT NULL GENERATED ALWAYS AS (state = 'quoted') STORED,
    doc         json NOT NULL,    -- text as it was written: jsonb costs three times the time, and a fifth more space
    UNIQUE (partner, external_id),
    CHECK (NOT quoted OR over_at IS NOT NULL)
) WITH (
    -- A delivery is saved a dozen times within an hour. What is in an index changes when it is
    -- accepted and when it ends; the saves between them find room on its own page.
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02
);
CREATE INDEX deliveries_open ON deliveries (market, id) WHERE open;
CREATE INDEX deliveries_quotes ON deliveries (over_at) WHERE quoted;
CREATE INDEX deliveries_ended ON deliveries (over_at) WHERE personal AND NOT quoted AND over_at IS NOT NULL;

-- What identifies people: here and nowhere else. There are no checks on the document, for
-- the server would write a row that fails one into its log.
CREATE TABLE personal (
    delivery text COLLATE "C" PRIMARY KEY REFERENCES deliveries ON DELETE CASCADE,
    doc      json NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- Updates, in the transaction of what they tell of. Deliveries are not referenced: a quote may be
-- trimmed before its updates.
CREATE TABLE outbox (
    delivery text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY, -- rises within a delivery; transactions of several commit out of its order
    sent_at  timestamptz,
    doc      json NOT NULL, -- as it crosses the broker
    PRIMARY KEY (delivery, sequence)
) WITH (
    -- A row is written twice and read once. The queue's head is read all the time, so what was
    -- sent must leave its index soon, whatever the size of the table.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.05
);
CREATE INDEX outbox_unsent ON outbox (position) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

-- How far feeds were read. A few rows that change all the time.
CREATE TABLE cursors (
    name     text COLLATE "C" PRIMARY KEY,
    value    text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TABLE businesses (
    partner     text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    revision    bigint NOT NULL CHECK (revision > 0),
    name        text NOT NULL,
    description text NOT NULL,
    status      text NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,
    PRIMARY KEY (partner, id)
);

-- Places of businesses. Their addresses and phones are those of shops, not of people.
CREATE TABLE stores (
    partner    text COLLATE "C" NOT NULL,
    business   text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    name       text NOT NULL,
    address    text NOT NULL,
    phone      text NOT NULL,
    status     text NOT NULL CHECK (status IN ('active', 'inactive')),
    prep_ms    bigint NOT NULL CHECK (prep_ms >= 0),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (partner, business, id)
);

-- For people with questions: no secrets, readable times.
CREATE VIEW delivery_list AS
SELECT id, market, partner, external_id, state, open, revision,
       (doc->>'sequence')::numeric AS updates,
       doc->>'request_hash' AS request_hash,
       doc->>'robot' AS robot,
       (doc->>'attempt')::bigint AS attempt,
       (doc->>'fee')::bigint AS fee_cents,
       doc->>'currency' AS currency,
       doc->>'cancel_reason' AS cancel_reason,
       doc->>'cancel_cause' AS cancel_cause,
       personal,
       created_at,
       to_timestamp((doc->>'expires_at')::bigint / 1000.0) AS expires_at,
       to_timestamp(nullif((doc->'times'->>'requested')::bigint, 0) / 1000.0) AS requested_at,
       to_timestamp(nullif((doc->'times'->>'loaded')::bigint, 0) / 1000.0) AS loaded_at,
       to_timestamp(nullif((doc->'times'->>'ended')::bigint, 0) / 1000.0) AS ended_at
FROM deliveries;

CREATE VIEW outbox_list AS
SELECT delivery, sequence, position, sent_at,
       doc->>'kind' AS kind, doc->>'to' AS state, to_timestamp((doc->>'at')::bigint / 1000.0) AS at
FROM outbox;
