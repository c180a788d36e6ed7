-- Returns of which nobody knows whether they were made, until that is settled. They can have been made between `since`
-- and `until`. `sender` is a digest of who sends it, where the provider finds a return by nothing else. It is looked for
-- again at `look_at`, unless that is null: then it is a person's to settle. `showed` is what the last look showed.
CREATE TABLE doubtful_returns (
    id         TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL,
    sender     TEXT,
    since      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    looks      INTEGER NOT NULL DEFAULT 0,
    looked_at  INTEGER,
    showed     TEXT,
    look_at    INTEGER
) WITHOUT ROWID;
CREATE INDEX doubtful_returns_due ON doubtful_returns (connection, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX doubtful_returns_sender ON doubtful_returns (connection, sender) WHERE sender IS NOT NULL;
-- Those from before: the digest of who sends it was not kept, so a provider that finds by nothing else cannot be asked.
INSERT INTO doubtful_returns (id, connection, since, until, look_at)
SELECT id, connection, begun_at, begun_at + 7200000000,
 CASE WHEN connection LIKE 'inpost_returns/%' THEN NULL ELSE begun_at + 7200000000 END
FROM returns WHERE state = 'unknown';
CREATE INDEX returns_label ON returns (created_at, id) WHERE label_format IS NOT NULL;
