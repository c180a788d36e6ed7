-- Whose an event is, where it says so. Those from before have none: whose they are, their source says or nobody.
ALTER TABLE events ADD COLUMN organization BIGINT;
