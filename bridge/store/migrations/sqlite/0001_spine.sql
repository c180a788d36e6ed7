-- Moments are microseconds since 1970 in UTC. Texts that sort by time are primary keys where rows are many:
-- random keys make inserts slower by a factor that grows with the table.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The inbox. `id` is the dedupe key; `state` is 0 pending, 1 done, 2 failed. Rows lie in the order of their arrival:
-- by the key, whose end is a hash, every one of them would be put on a page of its own.
CREATE TABLE deliveries (
    id           TEXT NOT NULL PRIMARY KEY,
    organization INTEGER NOT NULL,
    event        TEXT NOT NULL,
    shipment     INTEGER,
    occurred_at  INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    body_sha256  BLOB NOT NULL,
    repeats      INTEGER NOT NULL DEFAULT 0,
    state        INTEGER NOT NULL DEFAULT 0,
    verdict      TEXT,
    done_at      INTEGER
);
CREATE INDEX deliveries_pending ON deliveries (received_at) WHERE state = 0;
CREATE INDEX deliveries_newest ON deliveries (received_at, id);
CREATE INDEX deliveries_of_shipment ON deliveries (shipment) WHERE shipment IS NOT NULL;

-- Behind a right secret, but without effect until somebody decides. Bounded; the oldest go first.
CREATE TABLE parked (
    id           TEXT PRIMARY KEY,
    reason       TEXT NOT NULL,
    organization INTEGER NOT NULL,
    peer         TEXT NOT NULL,
    received_at  INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    kept         INTEGER NOT NULL,
    repeats      INTEGER NOT NULL DEFAULT 0,
    replayed_as  TEXT
) WITHOUT ROWID;
CREATE INDEX parked_oldest ON parked (received_at);

-- Whatever may hold personal data, and nothing else: encrypted, and removable without touching a fact.
CREATE TABLE sealed (
    owner  TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    data   BLOB NOT NULL
);

-- Daily counters, written in the same commit as what they count.
CREATE TABLE tallies (
    day          TEXT NOT NULL,
    organization INTEGER NOT NULL,
    name         TEXT NOT NULL,
    n            INTEGER NOT NULL,
    PRIMARY KEY (day, organization, name)
) WITHOUT ROWID;

-- What events are about; `sequence` is the last one given out, `state` what the projection knows.
CREATE TABLE subjects (
    id        INTEGER PRIMARY KEY,
    source    TEXT NOT NULL,
    name      TEXT NOT NULL,
    partition INTEGER NOT NULL,
    sequence  INTEGER NOT NULL DEFAULT 0,
    state     TEXT,
    UNIQUE (source, name)
);

-- Something that happened, once. The event of a fact may be pruned; the fact stays, so that it is never told twice.
CREATE TABLE facts (
    subject_id INTEGER NOT NULL,
    type       TEXT NOT NULL,
    key        TEXT NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (subject_id, type, key)
) WITHOUT ROWID;

-- A fact as it is published: the bytes are made once. `position` is the feed's order.
CREATE TABLE events (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL,
    type         TEXT NOT NULL,
    subject_id   INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    routing_key  TEXT NOT NULL,
    occurred_at  INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    delivery     TEXT,
    body         BLOB NOT NULL
);
CREATE UNIQUE INDEX events_of_subject ON events (subject_id, sequence);

-- What the broker has of the events: `state` is 0 pending, 1 published, 2 dead.
CREATE TABLE outbox (
    position     INTEGER PRIMARY KEY,
    partition    INTEGER NOT NULL,
    state        INTEGER NOT NULL DEFAULT 0,
    published_at INTEGER
);
CREATE INDEX outbox_pending ON outbox (position) WHERE state = 0;

-- Who does what only one may do. `token` grows with every change of hands.
CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    token      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One purchase per shipment, ever in one hand at a time.
CREATE TABLE purchases (
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    state        TEXT NOT NULL,
    deadline     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    cause        TEXT,
    intent_id    TEXT,
    offer_id     INTEGER,
    service_id   TEXT,
    payments     TEXT NOT NULL DEFAULT '',
    send_before  INTEGER,
    left_by      INTEGER,
    reads        INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    reason       TEXT,
    holder       TEXT,
    held_until   INTEGER NOT NULL DEFAULT 0,
    updated_at   INTEGER NOT NULL,
    wanted_cause    TEXT,
    wanted_deadline INTEGER,
    PRIMARY KEY (organization, shipment)
) WITHOUT ROWID;
CREATE INDEX purchases_due ON purchases (organization, deadline) WHERE state IN ('wanted', 'intended', 'doubt');
