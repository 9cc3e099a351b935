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
CREATE INDEX imported_rows_by_owner ON imported_rows (bot_id, owner);

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

-- The only writer of transfers and balances, as before; history has moments of its own.
CREATE FUNCTION ledger_post(transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint,
                            reason text, payment bigint, moment timestamptz) RETURNS bigint
    LANGUAGE plpgsql AS $$
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
                           payment_id, created_at)
        VALUES (transfer_kind, debit, credit, amount, seq_out, seq_in, generation, reason, payment, moment)
        RETURNING id INTO posted;
    RETURN posted;
END
$$;

CREATE OR REPLACE FUNCTION ledger_post(transfer_kind text, debit bigint, credit bigint, amount bigint,
                                       generation bigint, reason text, payment bigint) RETURNS bigint
    LANGUAGE plpgsql AS $$
BEGIN
    RETURN ledger_post(transfer_kind, debit, credit, amount, generation, reason, payment, now());
END
$$;

-- One customer's money of an earlier bot, told in this order, each at its own moment: corrections, payments, and holds
-- with what became of them. The arrays are read side by side; a negative correction takes from the customer.
CREATE FUNCTION ledger_retell(customer bigint, kinds text[], amounts bigint[], generations bigint[], payments bigint[],
                              moments timestamptz[], reason text) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    own   bigint := ledger_account(customer, 'available');
    aside bigint := ledger_account(customer, 'held');
    shop  bigint;
BEGIN
    PERFORM ledger_lock(customer);
    FOR n IN 1 .. coalesce(array_length(kinds, 1), 0) LOOP
        shop := ledger_account(NULL, CASE kinds[n] WHEN 'adjust' THEN 'adjustments' WHEN 'topup' THEN 'topups'
                                                   WHEN 'capture' THEN 'sales' END);
        PERFORM ledger_post(
            kinds[n],
            CASE WHEN kinds[n] = 'topup' OR kinds[n] = 'adjust' AND amounts[n] > 0 THEN shop
                 WHEN kinds[n] IN ('adjust', 'hold') THEN own
                 WHEN kinds[n] IN ('capture', 'release') THEN aside END,
            CASE WHEN kinds[n] = 'capture' OR kinds[n] = 'adjust' AND amounts[n] < 0 THEN shop
                 WHEN kinds[n] IN ('topup', 'adjust', 'release') THEN own
                 WHEN kinds[n] = 'hold' THEN aside END,
            abs(amounts[n]), generations[n], CASE kinds[n] WHEN 'adjust' THEN reason ELSE '' END, payments[n],
            moments[n]);
    END LOOP;
END
$$;
