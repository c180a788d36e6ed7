-- Grows with every change of hands, and is checked on every write: a hand that slept writes nothing.
ALTER TABLE purchases ADD COLUMN token BIGINT NOT NULL DEFAULT 0;

-- Every row here is written once and changed once: what that leaves behind goes away early, or each claim steps over it.
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
