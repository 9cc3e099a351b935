-- What customers sent as an answer: where it came from, so that it can be handed to the provider, and handed over again
-- once the provider has forgotten it.

CREATE TABLE media (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    update_id   bigint NOT NULL,  -- the update that brought it: given again, it is the same file
    file_id     text,             -- Telegram's name of it, or
    link        text,             -- the address that was pasted
    extension   text NOT NULL,
    mime        text NOT NULL,
    size_bytes  bigint NOT NULL,
    seconds     integer,
    address     text,             -- where the provider keeps it, for 24 hours
    uploaded_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT media_once UNIQUE (customer_id, update_id),
    CONSTRAINT media_one_source CHECK ((file_id IS NULL) <> (link IS NULL)),
    CONSTRAINT media_uploaded CHECK ((address IS NULL) = (uploaded_at IS NULL))
);
