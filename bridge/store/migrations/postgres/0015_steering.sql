-- What people chose: an offer that was selected at the carrier, and one that is to be bought as it is.
ALTER TABLE purchases ADD COLUMN selected_offer BIGINT;
ALTER TABLE purchases ADD COLUMN ordered_offer BIGINT;
-- The command that has a shipment in its hand (state `steered`), and in which state it took it.
ALTER TABLE purchases ADD COLUMN steered_by TEXT;
ALTER TABLE purchases ADD COLUMN steered_from TEXT;
CREATE INDEX purchases_steered ON purchases (organization) WHERE state = 'steered';
