-- Shipments that were made on demand: by which command, and as which of those that it asked for.
CREATE TABLE creations (
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    command      TEXT NOT NULL,
    item         INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (organization, shipment)
) WITHOUT ROWID;
CREATE UNIQUE INDEX creations_item ON creations (command, item);
CREATE INDEX creations_age ON creations (created_at);
