-- Orders to couriers: as the carrier had them last, which command made each, and when the carrier is asked next.
-- `statuses` is what it went through, `due_at` is null where nothing more is expected of it.
CREATE TABLE dispatch_orders (
    organization   BIGINT NOT NULL,
    id             BIGINT NOT NULL,
    state          TEXT NOT NULL,
    carrier_status TEXT,
    statuses       TEXT NOT NULL,
    command        TEXT,
    created_at     BIGINT,
    known_since    BIGINT NOT NULL,
    news_at        BIGINT NOT NULL,
    read_at        BIGINT NOT NULL,
    due_at         BIGINT,
    quiet          BIGINT NOT NULL DEFAULT 0,
    misses         BIGINT NOT NULL DEFAULT 0,
    missed_since   BIGINT,
    PRIMARY KEY (organization, id)
);
CREATE INDEX dispatch_orders_id ON dispatch_orders (id);
CREATE INDEX dispatch_orders_due ON dispatch_orders (organization, due_at) WHERE due_at IS NOT NULL;

-- What each is to collect.
CREATE TABLE dispatched (
    organization   BIGINT NOT NULL,
    dispatch_order BIGINT NOT NULL,
    shipment       BIGINT NOT NULL,
    PRIMARY KEY (organization, dispatch_order, shipment)
);
CREATE INDEX dispatched_shipment ON dispatched (shipment, organization, dispatch_order);
