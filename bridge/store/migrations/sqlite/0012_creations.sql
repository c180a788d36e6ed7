-- Shipments that were made on demand: by which command, and as which of those that it asked for.
CREATE TABLE creations (
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    command      TEXT NOT NULL,
    item         INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (organization, shipment)
) WITHOUT ROWID;
CREATE INDEX creations_command ON creations (command);
