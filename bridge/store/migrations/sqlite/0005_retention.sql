-- What was read, concluded and asked for about a purchase, a row per step, written with it. Words by allow-list, never
-- a person or a free text. The same thing once more counts in `times`.
CREATE TABLE journal (
    id             INTEGER PRIMARY KEY,
    organization   INTEGER NOT NULL,
    shipment       INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    times          INTEGER NOT NULL DEFAULT 1,
    what           TEXT NOT NULL,
    result         TEXT NOT NULL,
    state_before   TEXT NOT NULL,
    state_after    TEXT NOT NULL,
    offer_id       INTEGER,
    reason         TEXT,
    carrier_status TEXT,
    payments       TEXT NOT NULL DEFAULT '',
    cause          TEXT,
    holder         TEXT NOT NULL
);
CREATE INDEX journal_of_shipment ON journal (organization, shipment, id);

-- How much was deleted for its age, and up to which position (events) or moment (the others): known, never guessed.
CREATE TABLE pruned (
    what  TEXT PRIMARY KEY,
    n     INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- A delivery that is worked off once more waits since then, not since it came.
ALTER TABLE deliveries ADD COLUMN reopened_at INTEGER;

-- What the carrier says is bought stands in the ledger, whoever bought it: also what was confirmed before this version.
INSERT INTO purchases (organization, shipment, state, deadline, due_at, reason, updated_at)
SELECT CAST(substr(subjects.source, 8) AS INTEGER), CAST(substr(subjects.name, 10) AS INTEGER),
       'succeeded', events.recorded_at, events.recorded_at, 'adopted_by_webhook', events.recorded_at
  FROM facts
  JOIN subjects ON subjects.id = facts.subject_id
  JOIN events ON events.position = facts.position
 WHERE facts.type = 'shipment.confirmed'
    ON CONFLICT (organization, shipment) DO UPDATE
   SET state = excluded.state, reason = excluded.reason, updated_at = excluded.updated_at
 WHERE purchases.state IN ('failed', 'declined', 'held', 'expired', 'not_ours');
