-- Shipments that were made on demand: by which command, and as which of those that it asked for.
CREATE TABLE creations (
    organization BIGINT NOT NULL,
    shipment     BIGINT NOT NULL,
    command      TEXT NOT NULL,
    item         BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (organization, shipment)
);
CREATE INDEX creations_command ON creations (command);
