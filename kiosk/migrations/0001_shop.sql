-- The shop: who buys, what they buy, and how it reaches them.

CREATE TABLE bots (
    id         bigint PRIMARY KEY,  -- Telegram's public number of the bot, the digits before the colon of its token
    username   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE customers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot_id      bigint NOT NULL REFERENCES bots,
    telegram_id bigint NOT NULL,
    first_name  text NOT NULL DEFAULT '',
    username    text,
    language    text NOT NULL DEFAULT 'ru' CONSTRAINT customers_language CHECK (language IN ('ru', 'en')),
    blocked_at  timestamptz,  -- the customer blocked the bot: results wait for the next /start
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_once_per_bot UNIQUE (bot_id, telegram_id)
);

CREATE TABLE generations (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id     bigint NOT NULL REFERENCES customers,
    state           text NOT NULL DEFAULT 'draft',
    model_id        text NOT NULL,
    inputs          jsonb NOT NULL DEFAULT '{}',
    asking          text,    -- the field that the wizard waits for; NULL when it shows the card
    chat_id         bigint NOT NULL,
    message_id      bigint,  -- the one message: wizard, card, status and result in turn; NULL before it is first shown
    answered_update bigint,  -- the last Telegram update applied to this draft: an update sent again is not applied again
    price_kopecks   bigint,  -- what the card shows, what is held, what is charged
    credits_quoted  numeric,
    quoted_at       timestamptz,
    origin_id       bigint REFERENCES generations,  -- the generation whose "again" button made this one
    callback_token  text NOT NULL,
    submits         smallint NOT NULL DEFAULT 0,  -- how often createTask was called for it
    task_id         text,    -- the provider's task that is followed
    failure         text,    -- why it failed, one of generations.states.Failure
    late            boolean NOT NULL DEFAULT false,  -- succeeded after the money had gone back: delivered free
    polls           integer NOT NULL DEFAULT 0,
    delivery_tries  integer NOT NULL DEFAULT 0,
    next_at         timestamptz,  -- when the sweep brings it again; every unfinished generation has one
    deadline_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    touched_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at    timestamptz,
    submitted_at    timestamptz,
    settled_at      timestamptz,
    delivered_at    timestamptz,

    CONSTRAINT generations_state
        CHECK (state IN ('draft', 'pending', 'submitting', 'running', 'done', 'failed', 'canceled')),
    CONSTRAINT generations_priced
        CHECK (price_kopecks > 0 AND (price_kopecks IS NOT NULL OR confirmed_at IS NULL)),
    CONSTRAINT generations_confirmed
        CHECK (CASE state WHEN 'draft' THEN confirmed_at IS NULL
                          WHEN 'canceled' THEN true
                          ELSE confirmed_at IS NOT NULL AND deadline_at IS NOT NULL END),
    CONSTRAINT generations_shown CHECK (message_id IS NOT NULL OR confirmed_at IS NULL),
    CONSTRAINT generations_task_known CHECK (state <> 'running' OR task_id IS NOT NULL),
    CONSTRAINT generations_settled CHECK ((settled_at IS NOT NULL) = (state IN ('done', 'failed', 'canceled'))),
    CONSTRAINT generations_failure_told CHECK ((failure IS NOT NULL) = (state = 'failed')),
    -- Nothing is forgotten: whoever is not finished has a time at which the sweep looks at it.
    CONSTRAINT generations_future
        CHECK ((next_at IS NOT NULL)
               = (state IN ('pending', 'submitting', 'running') OR (state IN ('done', 'failed') AND delivered_at IS NULL)))
);

CREATE INDEX generations_due ON generations (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX generations_by_customer ON generations (customer_id, id DESC);
-- Groups number their messages on their own: the same number in two chats is two messages.
CREATE UNIQUE INDEX generations_one_draft_per_message ON generations (customer_id, chat_id, message_id)
    WHERE state = 'draft';
CREATE UNIQUE INDEX generations_one_draft_per_origin ON generations (origin_id) WHERE state = 'draft';
CREATE UNIQUE INDEX generations_task ON generations (task_id) WHERE task_id IS NOT NULL;

CREATE FUNCTION generations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The arrows of the life cycle; kiosk.generations.states draws the same ones.
    IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
        'draft>pending', 'draft>canceled',
        'pending>submitting', 'pending>canceled', 'pending>failed',
        'submitting>pending', 'submitting>running', 'submitting>failed',
        'running>done', 'running>failed',
        'failed>done'
    ) THEN
        RAISE EXCEPTION 'generation % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'generations_arrow';
    END IF;
    IF OLD.confirmed_at IS NOT NULL AND (NEW.price_kopecks, NEW.customer_id, NEW.confirmed_at)
                              IS DISTINCT FROM (OLD.price_kopecks, OLD.customer_id, OLD.confirmed_at) THEN
        RAISE EXCEPTION 'generation % is confirmed: its price is fixed', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'generations_price_fixed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER generations_guard BEFORE UPDATE ON generations
    FOR EACH ROW EXECUTE FUNCTION generations_guard();

-- Every task the provider ever made for a generation: more than one only after an unknown outcome of createTask.
CREATE TABLE tasks (
    task_id       text PRIMARY KEY,
    generation_id bigint NOT NULL REFERENCES generations,
    credits       numeric,  -- what the provider says it took, once known
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX tasks_by_generation ON tasks (generation_id);

CREATE TABLE deliveries (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    generation_id bigint NOT NULL REFERENCES generations,
    part          text NOT NULL,
    position      smallint NOT NULL DEFAULT 0,
    media         text NOT NULL,
    source        text NOT NULL DEFAULT '',  -- the provider's address of the file, or the text itself
    state         text NOT NULL DEFAULT 'pending',
    tries         integer NOT NULL DEFAULT 0,
    claimed_at    timestamptz,
    sent_at       timestamptz,
    message_id    bigint,
    file_id       text,  -- Telegram's name of the file: outlives the provider's address
    created_at    timestamptz NOT NULL DEFAULT now(),

    -- result: put into the status message; extra: further files in reply; notice: the short reply that rings;
    -- failure: the status message says why there is no result.
    CONSTRAINT deliveries_part CHECK (part IN ('result', 'extra', 'notice', 'failure')),
    CONSTRAINT deliveries_media CHECK (media IN ('image', 'video', 'audio', 'text')),
    CONSTRAINT deliveries_state CHECK (state IN ('pending', 'sending', 'sent')),
    CONSTRAINT deliveries_sent CHECK ((sent_at IS NOT NULL) = (state = 'sent')),
    CONSTRAINT deliveries_once UNIQUE (generation_id, part, position)
);

-- Callbacks that fitted no generation when they came.
CREATE TABLE orphan_callbacks (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id       text NOT NULL,
    body          text NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    generation_id bigint REFERENCES generations,
    matched_at    timestamptz,
    CONSTRAINT orphan_callbacks_matched CHECK ((matched_at IS NULL) = (generation_id IS NULL))
);

CREATE UNIQUE INDEX orphan_callbacks_once ON orphan_callbacks (task_id, md5(body));
CREATE INDEX orphan_callbacks_unmatched ON orphan_callbacks (received_at) WHERE matched_at IS NULL;
