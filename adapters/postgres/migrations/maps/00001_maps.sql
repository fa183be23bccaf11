-- +goose Up

-- The first CREATE EXTENSION postgis on a server takes seconds.
SET LOCAL statement_timeout = '5min';

CREATE EXTENSION IF NOT EXISTS postgis;   -- positions, and what lies near them
CREATE EXTENSION IF NOT EXISTS pg_trgm;   -- words by their beginning, and misspelt ones
CREATE EXTENSION IF NOT EXISTS btree_gin; -- the market within the index of words

-- Ids sort by bytes, as they do in the program, whatever the database's language.

CREATE TABLE networks (
    market       text COLLATE "C" PRIMARY KEY,
    version      bigint NOT NULL CHECK (version > 0), -- raised by each replacement
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32), -- of the file
    bytes        bigint NOT NULL CHECK (bytes > 0),
    address_form integer NOT NULL, -- of the program that made the rows of addresses
    saved_at     timestamptz NOT NULL DEFAULT now()
);

-- The network file (.fwnet), cut into pieces.
CREATE TABLE network_chunks (
    market text COLLATE "C" NOT NULL REFERENCES networks ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    data   bytea NOT NULL,
    PRIMARY KEY (market, number)
);
ALTER TABLE network_chunks ALTER COLUMN data SET STORAGE EXTERNAL; -- it is compressed already

-- What somebody may search without the network. Replaced with the network.
CREATE TABLE addresses (
    market    text COLLATE "C" NOT NULL,
    id        integer NOT NULL, -- place in the directory: by street, number and suffix
    number    text NOT NULL,
    street    text NOT NULL,
    city      text NOT NULL,
    postcode  text NOT NULL,
    geom      geometry(Point, 4326) NOT NULL,
    edge      integer NOT NULL, -- where a robot stands
    offset_mm integer NOT NULL,
    off_mm    integer NOT NULL, -- from there to geom
    house     text COLLATE "C" NOT NULL, -- number in short form
    search    text NOT NULL,    -- words in all their forms, without accents
    PRIMARY KEY (market, id)
);
CREATE INDEX addresses_house ON addresses (market, house);
CREATE INDEX addresses_geom ON addresses USING gist (geom);
CREATE INDEX addresses_search ON addresses USING gin (market, search gin_trgm_ops);

CREATE TABLE map_states (
    market   text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL CHECK (revision > 0),
    speeds   jsonb NOT NULL -- permille by class; 0 is all of it
);

CREATE TABLE areas (
    market         text COLLATE "C" NOT NULL REFERENCES map_states ON DELETE CASCADE,
    id             text COLLATE "C" NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('service', 'no_go', 'slow')),
    geom           geometry(Polygon, 4326) NOT NULL, -- as it was drawn, even if it crosses itself
    speed_permille integer NOT NULL,
    hours          jsonb, -- [{"from": ms, "to": ms}] after local midnight; null: always
    PRIMARY KEY (market, id)
);
CREATE INDEX areas_geom ON areas USING gist (geom);

CREATE TABLE closures (
    market   text COLLATE "C" NOT NULL REFERENCES map_states ON DELETE CASCADE,
    id       text COLLATE "C" NOT NULL,
    edges    integer[],
    geom     geometry(Polygon, 4326),
    from_ms  bigint NOT NULL,
    until_ms bigint NOT NULL, -- 0: until it is reopened
    reason   text NOT NULL,
    PRIMARY KEY (market, id)
);
