-- Money that comes in from customers, once per payment, and money that goes back to them, once per order.

-- What somebody paid, as whoever took the money calls it. A payment is a fact: it is never changed.
CREATE TABLE payments (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id    bigint NOT NULL REFERENCES customers,
    method         text NOT NULL,
    reference      text NOT NULL,  -- the number of the payment, as its method counts
    amount_kopecks bigint NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_named CHECK (method <> '' AND reference <> ''),
    CONSTRAINT payments_positive CHECK (amount_kopecks > 0),
    CONSTRAINT payments_once UNIQUE (method, reference)
);

CREATE INDEX payments_by_customer ON payments (customer_id, id DESC);

CREATE TRIGGER payments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();

ALTER TABLE accounts
    DROP CONSTRAINT accounts_kind,
    ADD CONSTRAINT accounts_kind
        CHECK (kind IN ('available', 'held') AND customer_id IS NOT NULL
               OR kind IN ('sales', 'bonuses', 'adjustments', 'topups') AND customer_id IS NULL);

INSERT INTO accounts (kind) VALUES ('topups');

ALTER TABLE transfers
    ADD COLUMN payment_id bigint REFERENCES payments,
    DROP CONSTRAINT transfers_kind,
    ADD CONSTRAINT transfers_kind
        CHECK (kind IN ('hold', 'capture', 'release', 'welcome', 'adjust', 'topup', 'refund')),
    DROP CONSTRAINT transfers_cause,
    ADD CONSTRAINT transfers_cause
        CHECK ((kind IN ('hold', 'capture', 'release', 'refund')) = (generation_id IS NOT NULL)),
    ADD CONSTRAINT transfers_paid CHECK ((kind = 'topup') = (payment_id IS NOT NULL)),
    DROP CONSTRAINT transfers_reason,
    ADD CONSTRAINT transfers_reason CHECK (kind NOT IN ('adjust', 'refund') OR note <> '');

CREATE UNIQUE INDEX transfers_topup_once ON transfers (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX transfers_refund_once ON transfers (generation_id) WHERE kind = 'refund';

-- The only writer of transfers and balances. Callers hold the locks of ledger_lock.
CREATE FUNCTION ledger_post(
    transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint, reason text, payment bigint
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
    INSERT INTO transfers (kind, debit_id, credit_id, amount_kopecks, debit_seq, credit_seq, generation_id, note,
                           payment_id)
        VALUES (transfer_kind, debit, credit, amount, seq_out, seq_in, generation, reason, payment)
        RETURNING id INTO posted;
    RETURN posted;
END
$$;

-- For transfers that no payment stands behind.
CREATE OR REPLACE FUNCTION ledger_post(
    transfer_kind text, debit bigint, credit bigint, amount bigint, generation bigint, reason text
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN ledger_post(transfer_kind, debit, credit, amount, generation, reason, NULL);
END
$$;

-- Credits what was paid to whoever paid it.
CREATE FUNCTION ledger_topup(payment bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    paid payments;
BEGIN
    SELECT * INTO STRICT paid FROM payments WHERE id = payment;
    PERFORM ledger_lock(paid.customer_id);
    RETURN ledger_post('topup', ledger_account(NULL, 'topups'), ledger_account(paid.customer_id, 'available'),
                       paid.amount_kopecks, NULL, '', paid.id);
END
$$;

-- Gives back what was captured: all of it, from where it went to whose it was. What was never captured raises.
CREATE FUNCTION ledger_refund(generation bigint, reason text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    taken    transfers;
    customer bigint;
BEGIN
    SELECT * INTO taken FROM transfers WHERE generation_id = generation AND kind = 'capture';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'generation % was never captured', generation USING ERRCODE = 'no_data_found';
    END IF;
    SELECT customer_id INTO STRICT customer FROM accounts WHERE id = taken.debit_id;
    PERFORM ledger_lock(customer);
    RETURN ledger_post('refund', taken.credit_id, ledger_account(customer, 'available'), taken.amount_kopecks,
                       generation, reason);
END
$$;
