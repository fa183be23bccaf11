-- +goose Up

-- Whose endpoints these are, where they are not of the whole partner.
ALTER TABLE registry_endpoints ADD COLUMN business text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX registry_endpoints_business ON registry_endpoints (partner, business, id) WHERE business <> '';

-- The newest entries of one business: that of the store, which its updates name as business/store.
CREATE INDEX entries_business ON entries (partner, split_part(doc->>'store', '/', 1), position) WHERE strpos(doc->>'store', '/') > 0;

-- The table has how all webhooks ended from now on, also those that were told.
ALTER TABLE dead_letters ADD COLUMN told boolean NOT NULL DEFAULT false;
CREATE INDEX dead_letters_given_up ON dead_letters (endpoint, position) WHERE NOT told;
