-- Codes that were made in advance; each is sealed. `digest` is what one is found by, under a key that is not here.
-- `operation` and `command` say who is at it, `return_id` for which return it was activated, or may have been.
CREATE TABLE spare_codes (
    id           TEXT NOT NULL PRIMARY KEY,
    connection   TEXT NOT NULL,
    organization BIGINT,
    digest       TEXT NOT NULL,
    state        TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    operation    TEXT,
    command      TEXT,
    return_id    TEXT
);
CREATE UNIQUE INDEX spare_codes_digest ON spare_codes (digest, connection);
CREATE INDEX spare_codes_made ON spare_codes (made_at, id);
CREATE INDEX spare_codes_command ON spare_codes (command) WHERE command IS NOT NULL;
CREATE INDEX spare_codes_return ON spare_codes (return_id) WHERE return_id IS NOT NULL;
ALTER TABLE returns ADD COLUMN cancellable_until BIGINT;
