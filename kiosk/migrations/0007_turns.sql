-- What one replica does for all, once a day.
CREATE TABLE turns (
    name     text PRIMARY KEY,
    last_run timestamptz,
    due_at   timestamptz NOT NULL  -- the next night; while somebody is at it, when another may take over
);
