-- Labels: which were asked for, and which are kept. Their content lies among what is sealed, or in files, by its hash.
CREATE TABLE labels (
    id           TEXT NOT NULL PRIMARY KEY,
    organization INTEGER NOT NULL,
    shipment     INTEGER NOT NULL,
    format       TEXT NOT NULL,
    kind         TEXT,
    state        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    reason       TEXT,
    sha256       TEXT,
    size         INTEGER
) WITHOUT ROWID;
CREATE INDEX labels_shipment ON labels (organization, shipment);
CREATE INDEX labels_content ON labels (organization, sha256);
CREATE INDEX labels_age ON labels (at, id);
