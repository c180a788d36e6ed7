-- What a return is found by whose code is known, under a key that is not here. Returns from before have none.
ALTER TABLE returns ADD COLUMN code_digest TEXT;
CREATE INDEX returns_code ON returns (connection, code_digest) WHERE code_digest IS NOT NULL;
