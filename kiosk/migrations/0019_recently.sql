-- How orders ended lately, and what their tasks cost, is looked at every minute.
CREATE INDEX generations_settled ON generations (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX tasks_recent ON tasks (created_at);
