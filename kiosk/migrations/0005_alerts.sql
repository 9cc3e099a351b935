-- What operators are told of. One row for each kind and subject: a repetition counts up, and is told once per window.
CREATE TABLE alerts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,               -- one of operators.alerts.Kind
    subject    text NOT NULL DEFAULT '',
    details    jsonb NOT NULL DEFAULT '{}',  -- what the text holds, as it was raised last
    count      bigint NOT NULL DEFAULT 1,
    told_count bigint NOT NULL DEFAULT 0,
    told_to    bigint[] NOT NULL DEFAULT '{}',  -- operators reached while others are still to be
    raised_at  timestamptz NOT NULL DEFAULT now(),
    told_at    timestamptz,
    due_at     timestamptz NOT NULL DEFAULT now(),  -- not told before: end of the window, or of a lease
    CONSTRAINT alerts_once UNIQUE (kind, subject),
    CONSTRAINT alerts_count CHECK (told_count BETWEEN 0 AND count)
);

CREATE INDEX alerts_due ON alerts (due_at) WHERE count > told_count;
