-- What a player shows beside a sound or a clip, where the provider tells it.
ALTER TABLE deliveries ADD COLUMN title text NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN duration_s integer;
