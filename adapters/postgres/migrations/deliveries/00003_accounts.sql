-- +goose Up

-- People who work for merchants, the browsers in which they are signed in, and how often somebody tried to.
CREATE TABLE accounts (
    id          text COLLATE "C" PRIMARY KEY,
    email       text COLLATE "C" NOT NULL UNIQUE,
    subject     text COLLATE "C" NOT NULL,
    invited     text COLLATE "C" NOT NULL,
    partner     text COLLATE "C" NOT NULL,
    business    text COLLATE "C" NOT NULL,
    doc         jsonb NOT NULL,
    revision    bigint NOT NULL
);
CREATE UNIQUE INDEX accounts_subject ON accounts (subject) WHERE subject <> '';
CREATE INDEX accounts_invited ON accounts (invited) WHERE invited <> '';
CREATE INDEX accounts_business ON accounts (partner, business, email);

CREATE TABLE account_sessions (
    digest      text COLLATE "C" PRIMARY KEY,
    account     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    seen_at     bigint NOT NULL,
    expires_at  bigint NOT NULL
);
CREATE INDEX account_sessions_account ON account_sessions (account);
CREATE INDEX account_sessions_expires ON account_sessions (expires_at);

CREATE TABLE account_tries (
    key         text COLLATE "C" NOT NULL,
    at          bigint NOT NULL
);
CREATE INDEX account_tries_key ON account_tries (key, at);
CREATE INDEX account_tries_at ON account_tries (at);

-- When a store is open.
ALTER TABLE stores ADD COLUMN hours text NOT NULL DEFAULT '';
