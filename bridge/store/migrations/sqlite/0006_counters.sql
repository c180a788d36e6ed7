-- The day's counters in several rows each, so that replicas that count at the same time do not wait for each other.
CREATE TABLE counters (
    day          TEXT NOT NULL,
    organization INTEGER NOT NULL,
    name         TEXT NOT NULL,
    shard        INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    PRIMARY KEY (day, organization, name, shard)
) WITHOUT ROWID;
INSERT INTO counters SELECT day, organization, name, 0, n FROM tallies;
DROP TABLE tallies;
CREATE VIEW tallies AS
    SELECT day, organization, name, sum(n) AS n FROM counters GROUP BY day, organization, name;
