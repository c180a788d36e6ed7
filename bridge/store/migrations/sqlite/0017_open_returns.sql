-- What becomes of returns: `history` is what was seen of each, as text, `due_at` when its provider is asked about it
-- next, as long as anything is expected. `moved_at` is when it last had news (none: no round knows of it yet),
-- `looked_at` when what was shown of it last had been asked for. `has_code` says whether its code is among what is
-- sealed, where that is known. `label_due_at`: when its label is fetched, as long as it may be had and is not here.
-- `expiry_due_at`: when it is told that little time is left, until it was told.
ALTER TABLE returns ADD COLUMN history TEXT;
ALTER TABLE returns ADD COLUMN due_at INTEGER;
ALTER TABLE returns ADD COLUMN moved_at INTEGER;
ALTER TABLE returns ADD COLUMN looked_at INTEGER;
ALTER TABLE returns ADD COLUMN has_code INTEGER;
ALTER TABLE returns ADD COLUMN label_sha256 TEXT;
ALTER TABLE returns ADD COLUMN label_due_at INTEGER;
ALTER TABLE returns ADD COLUMN expiry_due_at INTEGER;
CREATE INDEX returns_entering ON returns (connection) WHERE state = 'created' AND moved_at IS NULL;
CREATE INDEX returns_due ON returns (connection, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX returns_label_due ON returns (connection, label_due_at) WHERE label_due_at IS NOT NULL;
CREATE INDEX returns_expiry_due ON returns (connection, expiry_due_at) WHERE expiry_due_at IS NOT NULL;
CREATE INDEX returns_number ON returns (connection, tracking_number) WHERE tracking_number IS NOT NULL;

-- Up to when what a provider learned of parcels was read, by the provider's clock.
CREATE TABLE return_cursors (
    connection TEXT NOT NULL PRIMARY KEY,
    reached    INTEGER NOT NULL
) WITHOUT ROWID;
