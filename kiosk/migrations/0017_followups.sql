-- Orders that go on from a result: the provider's names of what was made, the order that is followed, and result files as
-- inputs.

ALTER TABLE deliveries ADD COLUMN task_id text;   -- the provider's task that made it; older rows: that of the order
ALTER TABLE deliveries ADD COLUMN track_id text;  -- the provider's name of this piece of music

ALTER TABLE generations ADD CONSTRAINT generations_owner UNIQUE (id, customer_id);
ALTER TABLE generations ADD COLUMN follows_id bigint;
ALTER TABLE generations ADD COLUMN earlier jsonb;  -- what the followed task was sent, as far as prices hang on it
ALTER TABLE generations ADD CONSTRAINT generations_follows_own
    FOREIGN KEY (follows_id, customer_id) REFERENCES generations (id, customer_id);
ALTER TABLE generations ADD CONSTRAINT generations_earlier CHECK (earlier IS NULL OR follows_id IS NOT NULL);

ALTER TABLE media ALTER COLUMN update_id DROP NOT NULL;
ALTER TABLE media ADD COLUMN delivery_id bigint REFERENCES deliveries;  -- or what was delivered
ALTER TABLE media DROP CONSTRAINT media_one_source;
ALTER TABLE media ADD CONSTRAINT media_one_source CHECK (num_nonnulls(file_id, link, delivery_id) = 1);
ALTER TABLE media ADD CONSTRAINT media_brought CHECK ((update_id IS NULL) = (delivery_id IS NOT NULL));
CREATE UNIQUE INDEX media_of_delivery ON media (delivery_id) WHERE delivery_id IS NOT NULL;
