-- Shipments that are asked about, without a webhook, until nothing is expected of them any more. `phase` says how
-- urgent that is, `quiet` how often in a row nothing was new, `misses` how often the carrier did not know it.
CREATE TABLE sweeps (
    organization BIGINT NOT NULL,
    shipment     BIGINT NOT NULL,
    phase        TEXT COLLATE "C" NOT NULL,
    due_at       BIGINT NOT NULL,
    quiet        BIGINT NOT NULL DEFAULT 0,
    since        BIGINT NOT NULL,
    news_at      BIGINT NOT NULL,
    misses       BIGINT NOT NULL DEFAULT 0,
    missed_since BIGINT,
    PRIMARY KEY (organization, shipment)
);
CREATE INDEX sweeps_due ON sweeps (organization, phase, due_at);

-- What a read found first, until it is clear whether a webhook tells it, too.
CREATE TABLE polled (
    organization BIGINT NOT NULL,
    shipment     BIGINT NOT NULL,
    occurred_at  BIGINT NOT NULL,
    found_at     BIGINT NOT NULL,
    PRIMARY KEY (organization, shipment)
);
CREATE INDEX polled_oldest ON polled (organization, found_at);

-- Whether an organization's webhooks come: `missed` shipments had news that none told, `unheard` of them since the last
-- webhook of all.
CREATE TABLE webhook_health (
    organization BIGINT NOT NULL PRIMARY KEY,
    state        TEXT COLLATE "C" NOT NULL,
    since        BIGINT,
    missed       BIGINT NOT NULL DEFAULT 0,
    unheard      BIGINT NOT NULL DEFAULT 0,
    missed_at    BIGINT,
    heard_at     BIGINT
);
