-- Grows with every change of hands, and is checked on every write: a hand that slept writes nothing.
ALTER TABLE purchases ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
