-- The gate before the provider, shared by all replicas, and the line of orders before it.

CREATE TABLE provider_gates (
    key_name       text PRIMARY KEY,  -- made from the provider's key, which cannot be made from it
    counted        timestamptz[] NOT NULL DEFAULT '{}',  -- creates that the provider may count still
    closed_until   timestamptz,  -- the provider asked us to wait
    troubles       integer NOT NULL DEFAULT 0,  -- in a row
    troubled_last  bigint,       -- the generation of the last one
    broken_until   timestamptz,  -- the breaker is open; past this moment one trial may be made
    breaks         integer NOT NULL DEFAULT 0,  -- in a row
    trial          timestamptz,  -- the slot of the trial that is out
    paused_since   timestamptz,  -- nothing can be bought: nothing is sold
    paused_why     text,
    credits_needed numeric,
    check_at       timestamptz,  -- when it is looked whether sales may go on
    pauses         integer NOT NULL DEFAULT 0,  -- since anything was bought
    CONSTRAINT provider_gates_paused
        CHECK ((paused_since IS NOT NULL) = (paused_why IS NOT NULL)
               AND (paused_since IS NOT NULL) = (check_at IS NOT NULL)),
    CONSTRAINT provider_gates_why CHECK (paused_why IN ('no_credits', 'key_cap', 'unauthorized'))
);

ALTER TABLE generations
    ADD COLUMN lined_up_at timestamptz,      -- its place in line; those of one customer stand apart
    ADD COLUMN held_back_until timestamptz,  -- the provider did not accept it: others first
    ADD COLUMN place_told integer,           -- what the status message says of the line
    ADD COLUMN wait_told text,
    ADD CONSTRAINT generations_wait_told
        CHECK (wait_told IN ('busy', 'trouble', 'paused') AND (wait_told IS NULL) = (place_told IS NULL));

-- A process of the version before leaves lined_up_at empty.
CREATE INDEX generations_line ON generations ((coalesce(lined_up_at, confirmed_at)), id) WHERE state = 'pending';
CREATE INDEX generations_unknown ON generations (submitted_at) WHERE state = 'submitting';
