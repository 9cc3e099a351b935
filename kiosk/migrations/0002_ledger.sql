-- Money: integer kopecks, double entry, append-only.
-- A transfer takes its amount from the debit account and puts it into the credit account.

CREATE TABLE accounts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint REFERENCES customers,
    kind        text NOT NULL,
    balance     bigint NOT NULL DEFAULT 0,  -- kopecks; the shop's own accounts are sums over transfers and stay 0 here
    last_seq    bigint NOT NULL DEFAULT 0,
    CONSTRAINT accounts_kind
        CHECK (kind IN ('available', 'held') AND customer_id IS NOT NULL
               OR kind IN ('sales', 'bonuses', 'adjustments') AND customer_id IS NULL),
    CONSTRAINT accounts_not_overdrawn CHECK (balance >= 0),
    -- A row that every sale updates would make the whole shop wait for itself.
    CONSTRAINT accounts_shop_is_summed CHECK (customer_id IS NOT NULL OR (balance = 0 AND last_seq = 0))
);

CREATE UNIQUE INDEX accounts_of_customer ON accounts (customer_id, kind) WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX accounts_of_shop ON accounts (kind) WHERE customer_id IS NULL;

INSERT INTO accounts (kind) VALUES ('sales'), ('bonuses'), ('adjustments');

CREATE TABLE transfers (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,
    debit_id       bigint NOT NULL REFERENCES accounts,
    credit_id      bigint NOT NULL REFERENCES accounts,
    amount_kopecks bigint NOT NULL,
    debit_seq      bigint,  -- gap-free number within the debit account; NULL for the shop's accounts
    credit_seq     bigint,
    generation_id  bigint REFERENCES generations,
    note           text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transfers_kind CHECK (kind IN ('hold', 'capture', 'release', 'welcome', 'adjust')),
    CONSTRAINT transfers_positive CHECK (amount_kopecks > 0),
    CONSTRAINT transfers_two_accounts CHECK (debit_id <> credit_id),
    CONSTRAINT transfers_cause CHECK ((kind IN ('hold', 'capture', 'release')) = (generation_id IS NOT NULL)),
    CONSTRAINT transfers_reason CHECK (kind <> 'adjust' OR note <> '')
);

CREATE UNIQUE INDEX transfers_hold_once ON transfers (generation_id) WHERE kind = 'hold';
CREATE UNIQUE INDEX transfers_resolved_once ON transfers (generation_id) WHERE kind IN ('capture', 'release');
CREATE UNIQUE INDEX transfers_welcome_once ON transfers (credit_id) WHERE kind = 'welcome';
CREATE UNIQUE INDEX transfers_debit_seq ON transfers (debit_id, debit_seq) WHERE debit_seq IS NOT NULL;
CREATE UNIQUE INDEX transfers_credit_seq ON transfers (credit_id, credit_seq) WHERE credit_seq IS NOT NULL;

CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is forbidden: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER accounts_are_kept BEFORE DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();

CREATE FUNCTION ledger_open(customer bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO accounts (customer_id, kind) VALUES (customer, 'available'), (customer, 'held')
    ON CONFLICT (customer_id, kind) WHERE customer_id IS NOT NULL DO NOTHING
$$;

-- Comes first in every transaction that moves money, so that no two can wait for each other.
CREATE FUNCTION ledger_lock(customer bigint, OUT available bigint, OUT held bigint) LANGUAGE plpgsql AS $$
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

CREATE FUNCTION ledger_account(customer bigint, account_kind text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM accounts WHERE kind = account_kind AND customer_id IS NOT DISTINCT FROM customer
$$;

-- The only writer of transfers and balances. Callers hold the locks of ledger_lock.
CREATE FUNCTION ledger_post(
    transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint, reason text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    seq_out bigint;
    seq_in  bigint;
    posted  bigint;
BEGIN
    UPDATE accounts SET balance = balance - amount, last_seq = last_seq + 1
        WHERE id = debit AND customer_id IS NOT NULL RETURNING last_seq INTO seq_out;
    UPDATE accounts SET balance = balance + amount, last_seq = last_seq + 1
        WHERE id = credit AND customer_id IS NOT NULL RETURNING last_seq INTO seq_in;
    INSERT INTO transfers (kind, debit_id, credit_id, amount_kopecks, debit_seq, credit_seq, generation_id, note)
        VALUES (transfer_kind, debit, credit, amount, seq_out, seq_in, generation, reason)
        RETURNING id INTO posted;
    RETURN posted;
END
$$;

-- Sets the price of a confirmed generation aside.
CREATE FUNCTION ledger_hold(generation bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    order_row generations;
BEGIN
    SELECT * INTO STRICT order_row FROM generations WHERE id = generation;
    PERFORM ledger_lock(order_row.customer_id);
    RETURN ledger_post('hold', ledger_account(order_row.customer_id, 'available'),
                       ledger_account(order_row.customer_id, 'held'), order_row.price_kopecks, generation, '');
END
$$;

-- Takes ('capture') or gives back ('release') what was held: one of the two, once.
CREATE FUNCTION ledger_resolve(generation bigint, resolution text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    held_row transfers;
    customer bigint;
    target   bigint;
BEGIN
    SELECT * INTO STRICT held_row FROM transfers WHERE generation_id = generation AND kind = 'hold';
    SELECT customer_id INTO STRICT customer FROM accounts WHERE id = held_row.credit_id;
    PERFORM ledger_lock(customer);
    target := CASE resolution WHEN 'capture' THEN ledger_account(NULL, 'sales')
                              WHEN 'release' THEN held_row.debit_id END;
    RETURN ledger_post(resolution, held_row.credit_id, target, held_row.amount_kopecks, generation, '');
END
$$;

CREATE FUNCTION ledger_welcome(customer bigint, amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_lock(customer);
    RETURN ledger_post('welcome', ledger_account(NULL, 'bonuses'), ledger_account(customer, 'available'), amount, NULL, '');
END
$$;

-- An operator's correction: a positive amount goes to the customer, a negative one comes from them.
CREATE FUNCTION ledger_adjust(customer bigint, amount bigint, reason text) RETURNS bigint LANGUAGE plpgsql AS $$
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

-- Money the way an operator says it.
CREATE VIEW wallets AS
SELECT c.telegram_id                   AS user_id,
       (available.balance / 100.0)::numeric(14, 2) AS balance_rub,
       (held.balance / 100.0)::numeric(14, 2)      AS hold_rub,
       c.bot_id,
       c.id                            AS customer_id
FROM customers c
JOIN accounts available ON available.customer_id = c.id AND available.kind = 'available'
JOIN accounts held ON held.customer_id = c.id AND held.kind = 'held';
