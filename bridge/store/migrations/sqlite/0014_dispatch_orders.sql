-- Orders to couriers: as the carrier had them last, which command made each, and when the carrier is asked next.
-- `statuses` is what it went through, `due_at` is null where nothing more is expected of it.
CREATE TABLE dispatch_orders (
    organization   INTEGER NOT NULL,
    id             INTEGER NOT NULL,
    state          TEXT NOT NULL,
    carrier_status TEXT,
    statuses       TEXT NOT NULL,
    command        TEXT,
    created_at     INTEGER,
    known_since    INTEGER NOT NULL,
    news_at        INTEGER NOT NULL,
    read_at        INTEGER NOT NULL,
    due_at         INTEGER,
    quiet          INTEGER NOT NULL DEFAULT 0,
    misses         INTEGER NOT NULL DEFAULT 0,
    missed_since   INTEGER,
    PRIMARY KEY (organization, id)
) WITHOUT ROWID;
CREATE INDEX dispatch_orders_id ON dispatch_orders (id);
CREATE INDEX dispatch_orders_due ON dispatch_orders (organization, due_at) WHERE due_at IS NOT NULL;

-- What each is to collect.
CREATE TABLE dispatched (
    organization   INTEGER NOT NULL,
    dispatch_order INTEGER NOT NULL,
    shipment       INTEGER NOT NULL,
    PRIMARY KEY (organization, dispatch_order, shipment)
) WITHOUT ROWID;
CREATE INDEX dispatched_shipment ON dispatched (shipment, organization, dispatch_order);
