-- +goose Up

-- Ids sort by bytes, as they do in the program, whatever the database's language.

-- How long each partner's log is. A call that adds to a log holds its row until
-- it commits: so positions appear in order, and none is left out.
CREATE TABLE partners (
    partner text COLLATE "C" PRIMARY KEY,
    entries bigint NOT NULL CHECK (entries > 0) -- ever: the last position
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The gate of each delivery.
CREATE TABLE streams (
    delivery text COLLATE "C" PRIMARY KEY,
    partner  text COLLATE "C" NOT NULL,
    entered  bigint NOT NULL DEFAULT 0 CHECK (entered >= 0) -- updates 1 to entered are in the log
) WITH (fillfactor = 70); -- entered changes in place

-- What partners may read, and were told.
CREATE TABLE entries (
    partner  text COLLATE "C" NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    delivery text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    at       bigint NOT NULL, -- when it happened: milliseconds since 1970
    doc      json NOT NULL,   -- the update, as it crosses the broker
    PRIMARY KEY (partner, position),
    UNIQUE (delivery, sequence)
);

-- Updates that wait for an earlier one of their delivery. Mostly empty.
CREATE TABLE held (
    delivery text COLLATE "C" NOT NULL REFERENCES streams,
    sequence bigint NOT NULL CHECK (sequence > 0),
    since    bigint NOT NULL, -- when it was taken: milliseconds since 1970
    doc      json NOT NULL,
    PRIMARY KEY (delivery, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
