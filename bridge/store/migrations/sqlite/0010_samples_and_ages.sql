-- Decisions are deleted for their age, the oldest first.
CREATE INDEX decisions_oldest ON decisions (at);
-- What waits for a person, as it is listed.
CREATE INDEX purchases_held ON purchases (organization, shipment) WHERE state = 'held';
-- What was bought last: lists are compared with the reads of these.
CREATE INDEX purchases_bought ON purchases (organization, updated_at) WHERE state = 'succeeded';
