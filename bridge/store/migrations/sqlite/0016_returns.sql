-- Returns that were asked for here, each of one command. Its reference, its code and its label lie among what is sealed.
-- `sender` is a digest of who sends it, only as long as nobody knows what became of the call, and where the provider
-- finds a return by nothing else: so there is one such at a time.
CREATE TABLE returns (
    id                 TEXT NOT NULL PRIMARY KEY,
    connection         TEXT NOT NULL,
    organization       INTEGER,
    command            TEXT NOT NULL,
    state              TEXT NOT NULL,
    sender             TEXT,
    provider_reference TEXT,
    tracking_number    TEXT,
    return_status      TEXT,
    expires_at         INTEGER,
    label_format       TEXT,
    reason             TEXT,
    begun_at           INTEGER NOT NULL,
    created_at         INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX returns_sender ON returns (connection, sender) WHERE sender IS NOT NULL;
CREATE INDEX returns_pending ON returns (command) WHERE state = 'pending';
CREATE INDEX returns_provider ON returns (connection, provider_reference) WHERE provider_reference IS NOT NULL;
CREATE INDEX returns_begun ON returns (begun_at, id);
