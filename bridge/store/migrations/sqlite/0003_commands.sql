-- What somebody asked for: stored under its key, then answered, then carried out, the earliest deadline first.
-- `state` is waiting, running, done, rejected, failed, unknown or withdrawn. What was asked and what came of it are sealed.
CREATE TABLE commands (
    operation    TEXT NOT NULL,
    id           TEXT NOT NULL,
    body_sha256  BLOB NOT NULL,
    given_by     TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,
    deadline     INTEGER NOT NULL,
    begin_by     INTEGER,
    state        TEXT NOT NULL DEFAULT 'waiting',
    holder       TEXT,
    held_until   INTEGER NOT NULL DEFAULT 0,
    token        INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    progress     TEXT,
    error        TEXT,
    ended_at     INTEGER,
    PRIMARY KEY (operation, id)
) WITHOUT ROWID;
CREATE INDEX commands_live ON commands (deadline) WHERE state IN ('waiting', 'running');

-- What an operator looks for is rare among millions.
CREATE INDEX deliveries_failed ON deliveries (received_at, id) WHERE state = 2;
CREATE INDEX outbox_dead ON outbox (position) WHERE state = 2;
