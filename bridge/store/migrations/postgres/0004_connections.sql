-- One row per carrier connection (`shipx/4821`), shared by all replicas: how fast it may be called, who is calling, whether
-- the carrier is left alone for a while, and whether a person has paused it. `held` lists the permits that are given out.
CREATE TABLE connections (
    name            TEXT COLLATE "C" PRIMARY KEY,
    last_turn       BIGINT NOT NULL DEFAULT 0,
    not_before      BIGINT NOT NULL DEFAULT 0,
    last_token      BIGINT NOT NULL DEFAULT 0,
    held            TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    first_in_line   TEXT COLLATE "C",
    failures        BIGINT NOT NULL DEFAULT 0,
    trips           BIGINT NOT NULL DEFAULT 0,
    open_until      BIGINT,
    degraded_since  BIGINT,
    paused_since    BIGINT,
    paused_reason   TEXT COLLATE "C",
    paused_by       TEXT COLLATE "C"
) WITH (fillfactor = 50);
-- Few rows, written twice per call: room on the page lets them be changed in place.
