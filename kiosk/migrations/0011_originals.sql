-- The file behind a picture, brought once to whoever asks for it.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_part;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_part
    CHECK (part IN ('result', 'extra', 'notice', 'failure', 'original'));
