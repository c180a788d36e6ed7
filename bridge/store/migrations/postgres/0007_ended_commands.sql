-- Commands that ended are deleted for their age, the oldest first.
CREATE INDEX commands_ended ON commands (ended_at) WHERE ended_at IS NOT NULL;
