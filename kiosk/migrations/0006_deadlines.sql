-- Two spans of patience, in line and at the provider, and looks at what was given up.
ALTER TABLE generations
    ADD COLUMN line_ends_at timestamptz,    -- until when it may wait in line: deadline_at while it is pending
    ADD COLUMN run_s        double precision,  -- seconds it is given from the moment it leaves the line
    ADD COLUMN late_look_at timestamptz,    -- when it is asked once more what became of a task that had not ended
    ADD COLUMN late_looks   smallint NOT NULL DEFAULT 0,
    ADD CONSTRAINT generations_late_look CHECK (late_look_at IS NULL OR state IN ('done', 'failed'));

CREATE INDEX generations_late ON generations (late_look_at) WHERE late_look_at IS NOT NULL;
