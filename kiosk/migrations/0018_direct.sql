-- Direct orders: without a chat, so whoever ordered it fetches it. And the house, which orders for the shop itself.

-- The house is the one customer of the bot 0, which is no bot; nobody else has the number 0.
ALTER TABLE customers ADD CONSTRAINT customers_house CHECK ((bot_id = 0) = (telegram_id = 0));

ALTER TABLE generations
    ALTER COLUMN chat_id DROP NOT NULL,
    DROP CONSTRAINT generations_shown,
    ADD CONSTRAINT generations_shown CHECK (message_id IS NOT NULL OR confirmed_at IS NULL OR chat_id IS NULL),
    ADD CONSTRAINT generations_direct
        CHECK (chat_id IS NOT NULL
               OR message_id IS NULL AND asking IS NULL AND answered_update IS NULL AND place_told IS NULL);

-- A file of the command line lies at the provider from its first day, and nowhere else that we could read it; an address
-- from there came with no update either.
ALTER TABLE media
    DROP CONSTRAINT media_brought,
    ADD CONSTRAINT media_brought CHECK (update_id IS NULL OR delivery_id IS NULL),
    DROP CONSTRAINT media_one_source,
    ADD CONSTRAINT media_one_source
        CHECK (num_nonnulls(file_id, link, delivery_id) = 1
               OR num_nonnulls(file_id, link, delivery_id, update_id) = 0 AND address IS NOT NULL);

CREATE FUNCTION ledger_is_house(customer bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT telegram_id = 0 FROM customers WHERE id = customer
$$;

-- Sets the price of a confirmed generation aside. The house has nothing: it is lent exactly that price.
CREATE OR REPLACE FUNCTION ledger_hold(generation bigint) RETURNS bigint LANGUAGE plpgsql AS $$
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

-- Takes ('capture') or gives back ('release') what was held: one of the two, once. What the house was lent goes back to
-- where it came from in either case: it is no sale.
CREATE OR REPLACE FUNCTION ledger_resolve(generation bigint, resolution text) RETURNS bigint LANGUAGE plpgsql AS $$
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

-- Gives back what was captured: all of it, from where it went to whose it was. What was never captured raises.
CREATE OR REPLACE FUNCTION ledger_refund(generation bigint, reason text) RETURNS bigint LANGUAGE plpgsql AS $$
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
