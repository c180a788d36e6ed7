-- Shipments that are asked about, without a webhook, until nothing is expected of them any more. `phase` says how
-- urgent that is, `quiet` how often in a row nothing was new, `misses` how often the carrier did not know it.
CREATE TABLE sweeps (
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    phase        TEXT NOT NULL,
    due_at       INTEGER NOT NULL,
    quiet        INTEGER NOT NULL DEFAULT 0,
    since        INTEGER NOT NULL,
    news_at      INTEGER NOT NULL,
    misses       INTEGER NOT NULL DEFAULT 0,
    missed_since INTEGER,
    PRIMARY KEY (organization, shipment)
) WITHOUT ROWID;
CREATE INDEX sweeps_due ON sweeps (organization, phase, due_at);

-- What a read found first, until it is clear whether a webhook tells it, too.
CREATE TABLE polled (
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    occurred_at  INTEGER NOT NULL,
    found_at     INTEGER NOT NULL,
    PRIMARY KEY (organization, shipment)
) WITHOUT ROWID;
CREATE INDEX polled_oldest ON polled (organization, found_at);

-- Whether an organization's webhooks come: `missed` shipments had news that none told, `unheard` of them since the last
-- webhook of all.
CREATE TABLE webhook_health (
    organization INTEGER NOT NULL PRIMARY KEY,
    state        TEXT NOT NULL,
    since        INTEGER,
    missed       INTEGER NOT NULL DEFAULT 0,
    unheard      INTEGER NOT NULL DEFAULT 0,
    missed_at    INTEGER,
    heard_at     INTEGER
) WITHOUT ROWID;
