-- Labels: which were asked for, and which are kept. Their content lies among what is sealed, or in files, by its hash.
CREATE TABLE labels (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization BIGINT NOT NULL,
    shipment     BIGINT NOT NULL,
    format       TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C",
    state        TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    tries        BIGINT NOT NULL,
    reason       TEXT COLLATE "C",
    sha256       TEXT COLLATE "C",
    size         BIGINT
);
CREATE INDEX labels_shipment ON labels (organization, shipment);
CREATE INDEX labels_content ON labels (organization, sha256);
CREATE INDEX labels_age ON labels (at, id);
