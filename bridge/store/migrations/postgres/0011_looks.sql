-- When a purchase that nobody works on is read all the same: after the window of one that is held, and after a webhook
-- said that the shipment is bought, which was at `said_at`. A webhook proves nothing, so that a read is yet to show it.
ALTER TABLE purchases ADD COLUMN look_at BIGINT;
ALTER TABLE purchases ADD COLUMN said_at BIGINT;
UPDATE purchases SET look_at = deadline WHERE state = 'held';
CREATE INDEX purchases_looks ON purchases (look_at, organization)
 WHERE look_at IS NOT NULL AND state IN ('failed', 'declined', 'held', 'expired', 'not_ours');
