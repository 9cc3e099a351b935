-- What an earlier bot left behind: each row of its database, taken or not, and the money that came with its customers.

CREATE TABLE imported_rows (
    bot_id          bigint NOT NULL REFERENCES bots,
    source_table    text NOT NULL,
    owner           text NOT NULL,  -- whose row it was, as that database wrote the number
    source_key      text NOT NULL,
    became_id       bigint,         -- our customer, payment or generation
    why             text,           -- why it was not taken, or what is to be known of it
    told_kopecks    bigint NOT NULL DEFAULT 0,  -- what the row counted as its customer's money
    brought_kopecks bigint NOT NULL DEFAULT 0,  -- what of it is in our books
    content         text,           -- the row as it was, when it became nothing
    imported_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bot_id, source_table, owner, source_key),
    CONSTRAINT imported_rows_taken_or_explained
        CHECK (became_id IS NOT NULL OR (why IS NOT NULL AND content IS NOT NULL))
);

CREATE TABLE imported_customers (
    customer_id       bigint PRIMARY KEY REFERENCES customers,
    available_kopecks bigint NOT NULL,  -- what the import left in the balance
    held_kopecks      bigint NOT NULL,  -- and set aside for what was still being made
    before_seq        bigint NOT NULL,  -- the balance's transfers of the import are those after this number
    last_seq          bigint NOT NULL,  -- up to this one
    imported_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT imported_customers_owe_nothing CHECK (available_kopecks >= 0 AND held_kopecks >= 0),
    CONSTRAINT imported_customers_seq CHECK (last_seq >= before_seq)
);

CREATE TRIGGER imported_rows_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON imported_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER imported_customers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON imported_customers
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();

-- One customer's money of an earlier bot, told in this order, each at its own moment: corrections, payments, and holds
-- with what became of them. The arrays are read side by side; a negative correction takes from the customer. All at
-- once: thousands of changes of one row in one transaction, as ledger_post makes them, would each look through the last.
CREATE FUNCTION ledger_retell(customer bigint, kinds text[], amounts bigint[], generations bigint[], payments bigint[],
                              moments timestamptz[], reason text) RETURNS void
    LANGUAGE plpgsql AS $$
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
