-- One row per carrier connection (`shipx/4821`), shared by all replicas: how fast it may be called, who is calling, whether
-- the carrier is left alone for a while, and whether a person has paused it. `held` lists the permits that are given out.
CREATE TABLE connections (
    name            TEXT PRIMARY KEY,
    last_turn       INTEGER NOT NULL DEFAULT 0,
    not_before      INTEGER NOT NULL DEFAULT 0,
    last_token      INTEGER NOT NULL DEFAULT 0,
    held            TEXT NOT NULL DEFAULT '[]',
    first_in_line   TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    trips           INTEGER NOT NULL DEFAULT 0,
    open_until      INTEGER,
    degraded_since  INTEGER,
    paused_since    INTEGER,
    paused_reason   TEXT,
    paused_by       TEXT
) WITHOUT ROWID;
