-- What the migrations add up to, for reading: never applied. `make schema` writes it, a test compares it.

CREATE TYPE public.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE FUNCTION public.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE FUNCTION public.generations_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.ledger_account(customer bigint, account_kind text) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT id FROM accounts WHERE kind = account_kind AND customer_id IS NOT DISTINCT FROM customer
$$;

CREATE FUNCTION public.ledger_adjust(customer bigint, amount bigint, reason text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    own  bigint;
    shop bigint;
BEGIN
    PERFORM ledger_lock(customer);
    own := ledger_account(customer, 'available');
    shop := ledger_account(NULL, 'adjustments');
    IF amount > 0 THEN
        RETURN ledger_post('adjust', shop, own, amount, NULL, reason);
    END IF;
    RETURN ledger_post('adjust', own, shop, -amount, NULL, reason);
END
$$;

CREATE FUNCTION public.ledger_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% on % is forbidden: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION public.ledger_hold(generation bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    order_row generations;
BEGIN
    SELECT * INTO STRICT order_row FROM generations WHERE id = generation;
    PERFORM ledger_lock(order_row.customer_id);
    IF ledger_is_house(order_row.customer_id) THEN
        PERFORM ledger_adjust(order_row.customer_id, order_row.price_kopecks, 'house');
    END IF;
    RETURN ledger_post('hold', ledger_account(order_row.customer_id, 'available'),
                       ledger_account(order_row.customer_id, 'held'), order_row.price_kopecks, generation, '');
END
$$;

CREATE FUNCTION public.ledger_is_house(customer bigint) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT telegram_id = 0 FROM customers WHERE id = customer
$$;

CREATE FUNCTION public.ledger_lock(customer bigint, OUT available bigint, OUT held bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    account accounts;
BEGIN
    FOR account IN SELECT * FROM accounts WHERE customer_id = customer ORDER BY id FOR NO KEY UPDATE LOOP
        IF account.kind = 'available' THEN available := account.balance; ELSE held := account.balance; END IF;
    END LOOP;
    IF available IS NULL OR held IS NULL THEN
        RAISE EXCEPTION 'customer % has no accounts', customer USING ERRCODE = 'foreign_key_violation';
    END IF;
END
$$;

CREATE FUNCTION public.ledger_open(customer bigint) RETURNS void
    LANGUAGE sql
    AS $$
    INSERT INTO accounts (customer_id, kind) VALUES (customer, 'available'), (customer, 'held')
    ON CONFLICT (customer_id, kind) WHERE customer_id IS NOT NULL DO NOTHING
$$;

CREATE FUNCTION public.ledger_post(transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint, reason text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN ledger_post(transfer_kind, debit, credit, amount, generation, reason, NULL);
END
$$;

CREATE FUNCTION public.ledger_post(transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint, reason text, payment bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    seq_out bigint;
    seq_in  bigint;
    posted  bigint;
BEGIN
    UPDATE accounts SET balance = balance - amount, last_seq = last_seq + 1
        WHERE id = debit AND customer_id IS NOT NULL RETURNING last_seq INTO seq_out;
    UPDATE accounts SET balance = balance + amount, last_seq = last_seq + 1
        WHERE id = credit AND customer_id IS NOT NULL RETURNING last_seq INTO seq_in;
    INSERT INTO transfers (kind, debit_id, credit_id, amount_kopecks, debit_seq, credit_seq, generation_id, note,
                           payment_id)
        VALUES (transfer_kind, debit, credit, amount, seq_out, seq_in, generation, reason, payment)
        RETURNING id INTO posted;
    RETURN posted;
END
$$;

CREATE FUNCTION public.ledger_refund(generation bigint, reason text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    taken    transfers;
    customer bigint;
BEGIN
    SELECT * INTO taken FROM transfers WHERE generation_id = generation AND kind = 'capture';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'generation % was never captured', generation USING ERRCODE = 'no_data_found';
    END IF;
    SELECT customer_id INTO STRICT customer FROM accounts WHERE id = taken.debit_id;
    IF ledger_is_house(customer) THEN
        RAISE EXCEPTION 'generation % was ordered by the house: nobody paid for it', generation
            USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM ledger_lock(customer);
    RETURN ledger_post('refund', taken.credit_id, ledger_account(customer, 'available'), taken.amount_kopecks,
                       generation, reason);
END
$$;

CREATE FUNCTION public.ledger_resolve(generation bigint, resolution text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    held_row transfers;
    customer bigint;
    target   bigint;
    house    boolean;
    posted   bigint;
BEGIN
    SELECT * INTO STRICT held_row FROM transfers WHERE generation_id = generation AND kind = 'hold';
    SELECT customer_id INTO STRICT customer FROM accounts WHERE id = held_row.credit_id;
    PERFORM ledger_lock(customer);
    house := ledger_is_house(customer);
    target := CASE resolution
                  WHEN 'capture' THEN ledger_account(NULL, CASE WHEN house THEN 'adjustments' ELSE 'sales' END)
                  WHEN 'release' THEN held_row.debit_id END;
    posted := ledger_post(resolution, held_row.credit_id, target, held_row.amount_kopecks, generation, '');
    IF house AND resolution = 'release' THEN
        PERFORM ledger_adjust(customer, -held_row.amount_kopecks, 'house');
    END IF;
    RETURN posted;
END
$$;

CREATE FUNCTION public.ledger_retell(customer bigint, kinds text[], amounts bigint[], generations bigint[], payments bigint[], moments timestamp with time zone[], reason text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    own    accounts;
    aside  accounts;
    totals record;
BEGIN
    PERFORM ledger_lock(customer);
    SELECT * INTO STRICT own FROM accounts WHERE customer_id = customer AND kind = 'available';
    SELECT * INTO STRICT aside FROM accounts WHERE customer_id = customer AND kind = 'held';
    WITH given AS (
        SELECT n, kind, amount, generation, payment, moment,
               CASE kind WHEN 'hold' THEN -amount WHEN 'capture' THEN 0 ELSE amount END AS to_own,
               CASE kind WHEN 'hold' THEN amount WHEN 'capture' THEN -amount WHEN 'release' THEN -amount ELSE 0 END
                   AS to_aside
        FROM unnest(kinds, amounts, generations, payments, moments)
             WITH ORDINALITY AS g (kind, amount, generation, payment, moment, n)
    ), numbered AS (
        SELECT *, own.last_seq + count(*) FILTER (WHERE to_own <> 0) OVER told AS own_seq,
               aside.last_seq + count(*) FILTER (WHERE to_aside <> 0) OVER told AS aside_seq,
               own.balance + sum(to_own) OVER told AS own_then, aside.balance + sum(to_aside) OVER told AS aside_then
        FROM given WINDOW told AS (ORDER BY n)
    ), posted AS (
        INSERT INTO transfers (kind, debit_id, credit_id, amount_kopecks, debit_seq, credit_seq, generation_id, note,
                               payment_id, created_at)
        SELECT kind,
               CASE WHEN to_own < 0 THEN own.id WHEN to_aside < 0 THEN aside.id ELSE shop END,
               CASE WHEN to_own > 0 THEN own.id WHEN to_aside > 0 THEN aside.id ELSE shop END,
               abs(amount),
               CASE WHEN to_own < 0 THEN own_seq WHEN to_aside < 0 THEN aside_seq END,
               CASE WHEN to_own > 0 THEN own_seq WHEN to_aside > 0 THEN aside_seq END,
               generation, CASE kind WHEN 'adjust' THEN reason ELSE '' END, payment, moment
        FROM numbered
        CROSS JOIN LATERAL ledger_account(NULL, CASE kind WHEN 'adjust' THEN 'adjustments' WHEN 'topup' THEN 'topups'
                                                          ELSE 'sales' END) AS shop
        ORDER BY n
    )
    SELECT min(own_then) AS lowest_own, min(aside_then) AS lowest_aside, coalesce(sum(to_own), 0) AS to_own,
           coalesce(sum(to_aside), 0) AS to_aside, coalesce(max(own_seq), own.last_seq) AS own_seq,
           coalesce(max(aside_seq), aside.last_seq) AS aside_seq
        INTO totals FROM numbered;
    IF totals.lowest_own < 0 OR totals.lowest_aside < 0 THEN
        RAISE EXCEPTION 'customer % would have less than nothing on the way', customer
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_not_overdrawn';
    END IF;
    UPDATE accounts SET balance = balance + totals.to_own, last_seq = totals.own_seq WHERE id = own.id;
    UPDATE accounts SET balance = balance + totals.to_aside, last_seq = totals.aside_seq WHERE id = aside.id;
END
$$;

CREATE FUNCTION public.ledger_topup(payment bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    paid payments;
BEGIN
    SELECT * INTO STRICT paid FROM payments WHERE id = payment;
    PERFORM ledger_lock(paid.customer_id);
    RETURN ledger_post('topup', ledger_account(NULL, 'topups'), ledger_account(paid.customer_id, 'available'),
                       paid.amount_kopecks, NULL, '', paid.id);
END
$$;

CREATE FUNCTION public.ledger_welcome(customer bigint, amount bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM ledger_lock(customer);
    RETURN ledger_post('welcome', ledger_account(NULL, 'bonuses'), ledger_account(customer, 'available'), amount, NULL, '');
END
$$;

CREATE TABLE public.accounts (
    id bigint NOT NULL,
    customer_id bigint,
    kind text NOT NULL,
    balance bigint DEFAULT 0 NOT NULL,
    last_seq bigint DEFAULT 0 NOT NULL,
    CONSTRAINT accounts_kind CHECK ((((kind = ANY (ARRAY['available'::text, 'held'::text])) AND (customer_id IS NOT NULL)) OR ((kind = ANY (ARRAY['sales'::text, 'bonuses'::text, 'adjustments'::text, 'topups'::text])) AND (customer_id IS NULL)))),
    CONSTRAINT accounts_not_overdrawn CHECK ((balance >= 0)),
    CONSTRAINT accounts_shop_is_summed CHECK (((customer_id IS NOT NULL) OR ((balance = 0) AND (last_seq = 0))))
);

ALTER TABLE public.accounts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.alerts (
    id bigint NOT NULL,
    kind text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    count bigint DEFAULT 1 NOT NULL,
    told_count bigint DEFAULT 0 NOT NULL,
    told_to bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    raised_at timestamp with time zone DEFAULT now() NOT NULL,
    told_at timestamp with time zone,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT alerts_count CHECK (((told_count >= 0) AND (told_count <= count)))
);

ALTER TABLE public.alerts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.bots (
    id bigint NOT NULL,
    username text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    webhook_mark text
);

CREATE TABLE public.customers (
    id bigint NOT NULL,
    bot_id bigint NOT NULL,
    telegram_id bigint NOT NULL,
    first_name text DEFAULT ''::text NOT NULL,
    username text,
    language text DEFAULT 'ru'::text NOT NULL,
    blocked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customers_house CHECK (((bot_id = 0) = (telegram_id = 0))),
    CONSTRAINT customers_language CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text])))
);

ALTER TABLE public.customers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    generation_id bigint NOT NULL,
    part text NOT NULL,
    "position" smallint DEFAULT 0 NOT NULL,
    media text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    claimed_at timestamp with time zone,
    sent_at timestamp with time zone,
    message_id bigint,
    file_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    duration_s integer,
    alone boolean DEFAULT false NOT NULL,
    cover text DEFAULT ''::text NOT NULL,
    task_id text,
    track_id text,
    CONSTRAINT deliveries_media CHECK ((media = ANY (ARRAY['image'::text, 'video'::text, 'audio'::text, 'text'::text]))),
    CONSTRAINT deliveries_part CHECK ((part = ANY (ARRAY['result'::text, 'extra'::text, 'notice'::text, 'failure'::text, 'original'::text]))),
    CONSTRAINT deliveries_sent CHECK (((sent_at IS NOT NULL) = (state = 'sent'::text))),
    CONSTRAINT deliveries_state CHECK ((state = ANY (ARRAY['pending'::text, 'sending'::text, 'sent'::text])))
);

ALTER TABLE public.deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.generations (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    model_id text NOT NULL,
    inputs jsonb DEFAULT '{}'::jsonb NOT NULL,
    asking text,
    chat_id bigint,
    message_id bigint,
    answered_update bigint,
    price_kopecks bigint,
    credits_quoted numeric,
    quoted_at timestamp with time zone,
    origin_id bigint,
    callback_token text NOT NULL,
    submits smallint DEFAULT 0 NOT NULL,
    task_id text,
    failure text,
    late boolean DEFAULT false NOT NULL,
    polls integer DEFAULT 0 NOT NULL,
    delivery_tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    deadline_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    submitted_at timestamp with time zone,
    settled_at timestamp with time zone,
    delivered_at timestamp with time zone,
    line_ends_at timestamp with time zone,
    run_s double precision,
    late_look_at timestamp with time zone,
    late_looks smallint DEFAULT 0 NOT NULL,
    lined_up_at timestamp with time zone,
    held_back_until timestamp with time zone,
    place_told integer,
    wait_told text,
    follows_id bigint,
    earlier jsonb,
    CONSTRAINT generations_confirmed CHECK (
CASE state
    WHEN 'draft'::text THEN (confirmed_at IS NULL)
    WHEN 'canceled'::text THEN true
    ELSE ((confirmed_at IS NOT NULL) AND (deadline_at IS NOT NULL))
END),
    CONSTRAINT generations_direct CHECK (((chat_id IS NOT NULL) OR ((message_id IS NULL) AND (asking IS NULL) AND (answered_update IS NULL) AND (place_told IS NULL)))),
    CONSTRAINT generations_earlier CHECK (((earlier IS NULL) OR (follows_id IS NOT NULL))),
    CONSTRAINT generations_failure_told CHECK (((failure IS NOT NULL) = (state = 'failed'::text))),
    CONSTRAINT generations_future CHECK (((next_at IS NOT NULL) = ((state = ANY (ARRAY['pending'::text, 'submitting'::text, 'running'::text])) OR ((state = ANY (ARRAY['done'::text, 'failed'::text])) AND (delivered_at IS NULL))))),
    CONSTRAINT generations_late_look CHECK (((late_look_at IS NULL) OR (state = ANY (ARRAY['done'::text, 'failed'::text])))),
    CONSTRAINT generations_priced CHECK (((price_kopecks > 0) AND ((price_kopecks IS NOT NULL) OR (confirmed_at IS NULL)))),
    CONSTRAINT generations_settled CHECK (((settled_at IS NOT NULL) = (state = ANY (ARRAY['done'::text, 'failed'::text, 'canceled'::text])))),
    CONSTRAINT generations_shown CHECK (((message_id IS NOT NULL) OR (confirmed_at IS NULL) OR (chat_id IS NULL))),
    CONSTRAINT generations_state CHECK ((state = ANY (ARRAY['draft'::text, 'pending'::text, 'submitting'::text, 'running'::text, 'done'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT generations_task_known CHECK (((state <> 'running'::text) OR (task_id IS NOT NULL))),
    CONSTRAINT generations_wait_told CHECK (((wait_told = ANY (ARRAY['busy'::text, 'trouble'::text, 'paused'::text])) AND ((wait_told IS NULL) = (place_told IS NULL))))
);

ALTER TABLE public.generations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.generations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.imported_customers (
    customer_id bigint NOT NULL,
    available_kopecks bigint NOT NULL,
    held_kopecks bigint NOT NULL,
    before_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    imported_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT imported_customers_owe_nothing CHECK (((available_kopecks >= 0) AND (held_kopecks >= 0))),
    CONSTRAINT imported_customers_seq CHECK ((last_seq >= before_seq))
);

CREATE TABLE public.imported_rows (
    bot_id bigint NOT NULL,
    source_table text NOT NULL,
    owner text NOT NULL,
    source_key text NOT NULL,
    became_id bigint,
    why text,
    told_kopecks bigint DEFAULT 0 NOT NULL,
    brought_kopecks bigint DEFAULT 0 NOT NULL,
    content text,
    imported_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT imported_rows_taken_or_explained CHECK (((became_id IS NOT NULL) OR ((why IS NOT NULL) AND (content IS NOT NULL))))
);

CREATE TABLE public.leases (
    bot_id bigint NOT NULL,
    holder text NOT NULL,
    term bigint DEFAULT 1 NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT leases_held_by_somebody CHECK ((holder <> ''::text))
);

CREATE TABLE public.media (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    update_id bigint,
    file_id text,
    link text,
    extension text NOT NULL,
    mime text NOT NULL,
    size_bytes bigint NOT NULL,
    seconds integer,
    address text,
    uploaded_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    album text,
    generation_id bigint,
    field text,
    delivery_id bigint,
    CONSTRAINT media_brought CHECK (((update_id IS NULL) OR (delivery_id IS NULL))),
    CONSTRAINT media_one_source CHECK (((num_nonnulls(file_id, link, delivery_id) = 1) OR ((num_nonnulls(file_id, link, delivery_id, update_id) = 0) AND (address IS NOT NULL)))),
    CONSTRAINT media_uploaded CHECK (((address IS NULL) = (uploaded_at IS NULL)))
);

ALTER TABLE public.media ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.media_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.orphan_callbacks (
    id bigint NOT NULL,
    task_id text NOT NULL,
    body text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    generation_id bigint,
    matched_at timestamp with time zone,
    CONSTRAINT orphan_callbacks_matched CHECK (((matched_at IS NULL) = (generation_id IS NULL)))
);

ALTER TABLE public.orphan_callbacks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orphan_callbacks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.payments (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    method text NOT NULL,
    reference text NOT NULL,
    amount_kopecks bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT payments_named CHECK (((method <> ''::text) AND (reference <> ''::text))),
    CONSTRAINT payments_positive CHECK ((amount_kopecks > 0))
);

ALTER TABLE public.payments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.payments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE public.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_id_seq OWNED BY public.pgqueuer.id;

CREATE TABLE public.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status public.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE public.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status public.pgqueuer_status DEFAULT 'queued'::public.pgqueuer_status
);

CREATE SEQUENCE public.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_schedules_id_seq OWNED BY public.pgqueuer_schedules.id;

CREATE TABLE public.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE public.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_statistics_id_seq OWNED BY public.pgqueuer_statistics.id;

CREATE TABLE public.provider_gates (
    key_name text NOT NULL,
    counted timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL,
    closed_until timestamp with time zone,
    troubles integer DEFAULT 0 NOT NULL,
    troubled_last bigint,
    broken_until timestamp with time zone,
    breaks integer DEFAULT 0 NOT NULL,
    trial timestamp with time zone,
    paused_since timestamp with time zone,
    paused_why text,
    credits_needed numeric,
    check_at timestamp with time zone,
    pauses integer DEFAULT 0 NOT NULL,
    CONSTRAINT provider_gates_paused CHECK ((((paused_since IS NOT NULL) = (paused_why IS NOT NULL)) AND ((paused_since IS NOT NULL) = (check_at IS NOT NULL)))),
    CONSTRAINT provider_gates_why CHECK ((paused_why = ANY (ARRAY['no_credits'::text, 'key_cap'::text, 'unauthorized'::text])))
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.tasks (
    task_id text NOT NULL,
    generation_id bigint NOT NULL,
    credits numeric,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.transfers (
    id bigint NOT NULL,
    kind text NOT NULL,
    debit_id bigint NOT NULL,
    credit_id bigint NOT NULL,
    amount_kopecks bigint NOT NULL,
    debit_seq bigint,
    credit_seq bigint,
    generation_id bigint,
    note text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    payment_id bigint,
    CONSTRAINT transfers_cause CHECK (((kind = ANY (ARRAY['hold'::text, 'capture'::text, 'release'::text, 'refund'::text])) = (generation_id IS NOT NULL))),
    CONSTRAINT transfers_kind CHECK ((kind = ANY (ARRAY['hold'::text, 'capture'::text, 'release'::text, 'welcome'::text, 'adjust'::text, 'topup'::text, 'refund'::text]))),
    CONSTRAINT transfers_paid CHECK (((kind = 'topup'::text) = (payment_id IS NOT NULL))),
    CONSTRAINT transfers_positive CHECK ((amount_kopecks > 0)),
    CONSTRAINT transfers_reason CHECK (((kind <> ALL (ARRAY['adjust'::text, 'refund'::text])) OR (note <> ''::text))),
    CONSTRAINT transfers_two_accounts CHECK ((debit_id <> credit_id))
);

ALTER TABLE public.transfers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.transfers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.turns (
    name text NOT NULL,
    last_run timestamp with time zone,
    due_at timestamp with time zone NOT NULL
);

CREATE VIEW public.wallets AS
 SELECT c.telegram_id AS user_id,
    (((available.balance)::numeric / 100.0))::numeric(14,2) AS balance_rub,
    (((held.balance)::numeric / 100.0))::numeric(14,2) AS hold_rub,
    c.bot_id,
    c.id AS customer_id
   FROM ((public.customers c
     JOIN public.accounts available ON (((available.customer_id = c.id) AND (available.kind = 'available'::text))))
     JOIN public.accounts held ON (((held.customer_id = c.id) AND (held.kind = 'held'::text))));

ALTER TABLE ONLY public.pgqueuer ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_once UNIQUE (kind, subject);

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bots
    ADD CONSTRAINT bots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_once_per_bot UNIQUE (bot_id, telegram_id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_once UNIQUE (generation_id, part, "position");

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_owner UNIQUE (id, customer_id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.imported_customers
    ADD CONSTRAINT imported_customers_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.imported_rows
    ADD CONSTRAINT imported_rows_pkey PRIMARY KEY (bot_id, source_table, owner, source_key);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (bot_id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_once UNIQUE (customer_id, update_id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orphan_callbacks
    ADD CONSTRAINT orphan_callbacks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_once UNIQUE (method, reference);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.provider_gates
    ADD CONSTRAINT provider_gates_pkey PRIMARY KEY (key_name);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (task_id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (name);

CREATE UNIQUE INDEX accounts_of_customer ON public.accounts USING btree (customer_id, kind) WHERE (customer_id IS NOT NULL);

CREATE UNIQUE INDEX accounts_of_shop ON public.accounts USING btree (kind) WHERE (customer_id IS NULL);

CREATE INDEX alerts_due ON public.alerts USING btree (due_at) WHERE (count > told_count);

CREATE INDEX customers_telegram ON public.customers USING btree (telegram_id);

CREATE INDEX deliveries_unsent ON public.deliveries USING btree (generation_id) WHERE (state <> 'sent'::text);

CREATE INDEX generations_by_customer ON public.generations USING btree (customer_id, id DESC);

CREATE INDEX generations_due ON public.generations USING btree (next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX generations_late ON public.generations USING btree (late_look_at) WHERE (late_look_at IS NOT NULL);

CREATE INDEX generations_line ON public.generations USING btree (COALESCE(lined_up_at, confirmed_at), id) WHERE (state = 'pending'::text);

CREATE UNIQUE INDEX generations_one_draft_per_message ON public.generations USING btree (customer_id, chat_id, message_id) WHERE (state = 'draft'::text);

CREATE UNIQUE INDEX generations_one_draft_per_origin ON public.generations USING btree (origin_id) WHERE (state = 'draft'::text);

CREATE INDEX generations_settled ON public.generations USING btree (settled_at) WHERE (settled_at IS NOT NULL);

CREATE UNIQUE INDEX generations_task ON public.generations USING btree (task_id) WHERE (task_id IS NOT NULL);

CREATE INDEX generations_unfinished ON public.generations USING btree (id) WHERE ((state = ANY (ARRAY['pending'::text, 'submitting'::text, 'running'::text])) OR ((state = ANY (ARRAY['done'::text, 'failed'::text])) AND (delivered_at IS NULL)));

CREATE INDEX generations_unknown ON public.generations USING btree (submitted_at) WHERE (state = 'submitting'::text);

CREATE INDEX media_album ON public.media USING btree (customer_id, album) WHERE (album IS NOT NULL);

CREATE UNIQUE INDEX media_of_delivery ON public.media USING btree (delivery_id) WHERE (delivery_id IS NOT NULL);

CREATE UNIQUE INDEX orphan_callbacks_once ON public.orphan_callbacks USING btree (task_id, md5(body));

CREATE INDEX orphan_callbacks_unmatched ON public.orphan_callbacks USING btree (received_at) WHERE (matched_at IS NULL);

CREATE INDEX payments_by_customer ON public.payments USING btree (customer_id, id DESC);

CREATE INDEX pgqueuer_ep_ea_idx ON public.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON public.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON public.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON public.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON public.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON public.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON public.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON public.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::public.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON public.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON public.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON public.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON public.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::public.pgqueuer_status, 'picked'::public.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON public.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE INDEX tasks_by_generation ON public.tasks USING btree (generation_id);

CREATE INDEX tasks_recent ON public.tasks USING btree (created_at);

CREATE UNIQUE INDEX transfers_credit_seq ON public.transfers USING btree (credit_id, credit_seq) WHERE (credit_seq IS NOT NULL);

CREATE UNIQUE INDEX transfers_debit_seq ON public.transfers USING btree (debit_id, debit_seq) WHERE (debit_seq IS NOT NULL);

CREATE UNIQUE INDEX transfers_hold_once ON public.transfers USING btree (generation_id) WHERE (kind = 'hold'::text);

CREATE UNIQUE INDEX transfers_refund_once ON public.transfers USING btree (generation_id) WHERE (kind = 'refund'::text);

CREATE UNIQUE INDEX transfers_resolved_once ON public.transfers USING btree (generation_id) WHERE (kind = ANY (ARRAY['capture'::text, 'release'::text]));

CREATE UNIQUE INDEX transfers_topup_once ON public.transfers USING btree (payment_id) WHERE (payment_id IS NOT NULL);

CREATE UNIQUE INDEX transfers_welcome_once ON public.transfers USING btree (credit_id) WHERE (kind = 'welcome'::text);

CREATE TRIGGER accounts_are_kept BEFORE DELETE OR TRUNCATE ON public.accounts FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_append_only();

CREATE TRIGGER generations_guard BEFORE UPDATE ON public.generations FOR EACH ROW EXECUTE FUNCTION public.generations_guard();

CREATE TRIGGER imported_customers_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.imported_customers FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_append_only();

CREATE TRIGGER imported_rows_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.imported_rows FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_append_only();

CREATE TRIGGER payments_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.payments FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_append_only();

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION public.fn_pgqueuer_changed();

CREATE TRIGGER transfers_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.transfers FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_append_only();

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_bot_id_fkey FOREIGN KEY (bot_id) REFERENCES public.bots(id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_generation_id_fkey FOREIGN KEY (generation_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_follows_own FOREIGN KEY (follows_id, customer_id) REFERENCES public.generations(id, customer_id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_origin_id_fkey FOREIGN KEY (origin_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.imported_customers
    ADD CONSTRAINT imported_customers_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);

ALTER TABLE ONLY public.imported_rows
    ADD CONSTRAINT imported_rows_bot_id_fkey FOREIGN KEY (bot_id) REFERENCES public.bots(id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.deliveries(id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_generation_id_fkey FOREIGN KEY (generation_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.orphan_callbacks
    ADD CONSTRAINT orphan_callbacks_generation_id_fkey FOREIGN KEY (generation_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);

ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_generation_id_fkey FOREIGN KEY (generation_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_credit_id_fkey FOREIGN KEY (credit_id) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_debit_id_fkey FOREIGN KEY (debit_id) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_generation_id_fkey FOREIGN KEY (generation_id) REFERENCES public.generations(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES public.payments(id);
