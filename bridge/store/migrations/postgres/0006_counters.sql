-- The day's counters in several rows each, so that replicas that count at the same time do not wait for each other.
CREATE TABLE counters (
    day          TEXT COLLATE "C" NOT NULL,
    organization BIGINT NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    shard        BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (day, organization, name, shard)
);
INSERT INTO counters SELECT day, organization, name, 0, n FROM tallies;
DROP TABLE tallies;
CREATE VIEW tallies AS
    SELECT day, organization, name, sum(n)::bigint AS n FROM counters GROUP BY day, organization, name;
