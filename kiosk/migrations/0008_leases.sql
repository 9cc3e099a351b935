-- Who acts alone for a bot: one holder at a time, for as long as it renews.

CREATE TABLE leases (
    bot_id     bigint PRIMARY KEY,
    holder     text NOT NULL,
    term       bigint NOT NULL DEFAULT 1,  -- counts the changes of holder
    expires_at timestamptz NOT NULL,
    CONSTRAINT leases_held_by_somebody CHECK (holder <> '')
);
