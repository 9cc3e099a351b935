-- Files of a result that go together go as an album; those that Telegram refused in one go each alone.
ALTER TABLE deliveries ADD COLUMN alone boolean NOT NULL DEFAULT false;
-- The address of a picture that a player shows beside a song or a clip; '' where nobody has one.
ALTER TABLE deliveries ADD COLUMN cover text NOT NULL DEFAULT '';

-- Which question a customer's file has answered: the rest of its album is meant for the same one.
ALTER TABLE media ADD COLUMN album text;
ALTER TABLE media ADD COLUMN generation_id bigint REFERENCES generations;
ALTER TABLE media ADD COLUMN field text;
CREATE INDEX media_album ON media (customer_id, album) WHERE album IS NOT NULL;
