-- What somebody asked for: stored under its key, then answered, then carried out, the earliest deadline first.
-- `state` is waiting, running, done, rejected, failed, unknown or withdrawn. What was asked and what came of it are sealed.
CREATE TABLE commands (
    operation    TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    body_sha256  BYTEA NOT NULL,
    given_by     TEXT COLLATE "C" NOT NULL,
    submitted_at BIGINT NOT NULL,
    deadline     BIGINT NOT NULL,
    begin_by     BIGINT,
    state        TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    holder       TEXT COLLATE "C",
    held_until   BIGINT NOT NULL DEFAULT 0,
    token        BIGINT NOT NULL DEFAULT 0,
    attempts     BIGINT NOT NULL DEFAULT 0,
    progress     TEXT COLLATE "C",
    error        TEXT COLLATE "C",
    ended_at     BIGINT,
    PRIMARY KEY (operation, id)
);
CREATE INDEX commands_live ON commands (deadline) WHERE state IN ('waiting', 'running');

-- What an operator looks for is rare among millions.
CREATE INDEX deliveries_failed ON deliveries (received_at, id) WHERE state = 2;
CREATE INDEX outbox_dead ON outbox (position) WHERE state = 2;
