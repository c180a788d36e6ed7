-- How often a shipment's offers were made anew, and when that was asked for last.
ALTER TABLE purchases ADD COLUMN regenerations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE purchases ADD COLUMN edited_at BIGINT;
-- How the last call for this purchase ended, in a word: it decides how urgent the next read is.
ALTER TABLE purchases ADD COLUMN answer TEXT;
-- When a read first showed nothing of this intent, by the carrier's clock.
ALTER TABLE purchases ADD COLUMN doubted_at BIGINT;
-- How often the carrier refused outright within this window.
ALTER TABLE purchases ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- Who approved a held purchase, of which service, up to which price (ten-thousandths; NULL: it was not known).
ALTER TABLE purchases ADD COLUMN approved_by TEXT;
ALTER TABLE purchases ADD COLUMN approved_service TEXT;
ALTER TABLE purchases ADD COLUMN approved_amount BIGINT;
-- What is reserved of a day's budget for the present intent: the day, the currency and the amount (ten-thousandths).
ALTER TABLE purchases ADD COLUMN reserved_day TEXT;
ALTER TABLE purchases ADD COLUMN reserved_currency TEXT;
ALTER TABLE purchases ADD COLUMN reserved_amount BIGINT;

-- What was reserved, per organization and day of Poland: counted in the transaction of the intent, given back where
-- nothing was bought. `amount` is in ten-thousandths of the currency; an unknown price counts as none.
CREATE TABLE budgets (
    day          TEXT NOT NULL,
    organization BIGINT NOT NULL,
    currency     TEXT NOT NULL,
    n            BIGINT NOT NULL,
    amount       BIGINT NOT NULL,
    PRIMARY KEY (day, organization, currency)
);

-- What was decided about a shipment's offers, and from what: the offers as they were read, and the policy by its hash.
CREATE TABLE decisions (
    organization  BIGINT NOT NULL,
    shipment      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    intent_id     TEXT,
    policy_sha256 TEXT NOT NULL,
    body          TEXT NOT NULL,
    PRIMARY KEY (organization, shipment, at)
);

-- A pause that the carrier's own refusal began is tried again at growing intervals.
ALTER TABLE connections ADD COLUMN probe_at BIGINT;
ALTER TABLE connections ADD COLUMN probes INTEGER NOT NULL DEFAULT 0;
-- Until when such a try may run, once somebody has taken it.
ALTER TABLE connections ADD COLUMN probing_until BIGINT;
-- What is wanted again after a pause.
CREATE INDEX purchases_unpaid ON purchases (organization, updated_at) WHERE state IN ('expired', 'failed');
