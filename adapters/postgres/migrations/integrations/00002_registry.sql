-- +goose Up

-- Who the partners are, how they prove it, and where they want to be told. The
-- rows are small and read whole: what is searched for has a column, the rest is in doc.
CREATE TABLE registry_partners (
    id        text COLLATE "C" PRIMARY KEY,
    developer text NOT NULL UNIQUE, -- the partner's id in its tokens
    doc       json NOT NULL,
    revision  bigint NOT NULL CHECK (revision > 0)
);

CREATE TABLE registry_keys (
    id       text COLLATE "C" PRIMARY KEY,
    partner  text COLLATE "C" NOT NULL,
    doc      json NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);
CREATE INDEX registry_keys_partner ON registry_keys (partner, id);

CREATE TABLE registry_endpoints (
    id       text COLLATE "C" PRIMARY KEY,
    partner  text COLLATE "C" NOT NULL,
    doc      json NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);
CREATE INDEX registry_endpoints_partner ON registry_endpoints (partner, id);

-- Sealed before they come here: the key is not in this database.
CREATE TABLE registry_secrets (
    name   text COLLATE "C" PRIMARY KEY,
    sealed bytea NOT NULL
);

-- What waits to be told to each endpoint. It is written with every few webhooks.
CREATE TABLE lines (
    endpoint text COLLATE "C" PRIMARY KEY,
    doc      json NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TABLE dead_letters (
    endpoint text COLLATE "C" NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    at       bigint NOT NULL, -- when it was given up: milliseconds since 1970
    doc      json NOT NULL,
    PRIMARY KEY (endpoint, position)
);
CREATE INDEX dead_letters_at ON dead_letters (at);
