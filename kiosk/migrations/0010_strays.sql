-- What is not over yet, for whoever looks whether something of it was forgotten: few rows among many.
CREATE INDEX generations_unfinished ON generations (id)
    WHERE state IN ('pending', 'submitting', 'running') OR (state IN ('done', 'failed') AND delivered_at IS NULL);
CREATE INDEX deliveries_unsent ON deliveries (generation_id) WHERE state <> 'sent';
