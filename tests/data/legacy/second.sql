-- The second generation: wallets with holds, jobs, a ledger, times with a zone, amounts as text in places. Made up.
-- Where the first was there before, its tables stay, and get what they lack.

CREATE TABLE IF NOT EXISTS users (user_id bigint PRIMARY KEY, username text, first_name text);
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS last_name text,
    ADD COLUMN IF NOT EXISTS role text DEFAULT 'user',
    ADD COLUMN IF NOT EXISTS locale text,
    ADD COLUMN IF NOT EXISTS metadata jsonb DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now();
INSERT INTO users (user_id, username, first_name, role, locale, created_at) VALUES
    (101, 'anna', 'Анна', 'user', 'ru', '2025-01-01 10:00:00+03'),
    (201, 'fedor', 'Фёдор', 'admin', 'en-US', '2025-01-02 10:00:00+03'),
    (202, 'gleb', 'Глеб', 'user', 'ru', '2025-01-03 10:00:00+03'),
    (203, 'hanna', 'Ханна', 'user', NULL, '2025-01-04 10:00:00+03'),
    (204, 'ivan', 'Иван', 'user', 'ru', '2025-01-05 10:00:00+03'),
    (206, 'lev', 'Лев', 'user', 'ru', '2025-01-05 10:00:00+03')
ON CONFLICT (user_id) DO NOTHING;

CREATE TABLE wallets (user_id bigint PRIMARY KEY, balance_rub text, hold_rub numeric(14, 4));
INSERT INTO wallets VALUES
    (101, '149.70', 0),          -- users.balance may say otherwise
    (201, '1 000,50', 0.80),     -- 0.80 on hold for what is still being made
    (202, '20', 5),              -- a hold of which nothing is left
    (203, '12.34', 7),           -- a hold that was never taken from the balance
    (204, 'сто', 0),             -- no number
    (205, '5', 0),               -- a wallet of somebody without a name
    (206, '0', 0),               -- paid for what is still being made
    (-7, '3', 0);                -- a group has no wallet

CREATE TABLE jobs (
    id              bigserial PRIMARY KEY,
    user_id         bigint,
    model_id        text,
    category        text,
    input_json      jsonb,
    price_rub       numeric(12, 2),
    status          text,
    kie_task_id     text,
    kie_status      text,
    result_json     jsonb,
    error_text      text,
    idempotency_key text,
    chat_id         bigint,
    delivered_at    timestamptz,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz,
    finished_at     timestamptz
);
INSERT INTO jobs (id, user_id, model_id, input_json, price_rub, status, kie_task_id, result_json, idempotency_key,
                  chat_id, delivered_at, created_at, finished_at) VALUES
    (1, 201, 'z-image', '{"prompt": "дом", "aspect_ratio": "1:1"}', 0.80, 'done', 'kie-1',
     '{"resultUrls": ["https://files.example/6.png"]}', 'key-1', 201, '2025-02-01 10:02:00+03',
     '2025-02-01 10:00:00+03', '2025-02-01 10:01:00+03'),
    (2, 201, 'z-image', '{"prompt": "сад", "aspect_ratio": "1:1"}', 0.80, 'running', 'kie-2', NULL, 'key-2', -100200,
     NULL, now() - interval '3 minutes', NULL),
    (3, 201, 'z-image', '{}', 0.80, 'draft', NULL, NULL, NULL, NULL, NULL, '2025-02-02 10:00:00+03', NULL),
    (4, 201, 'z-image', '{}', 0.80, 'await_confirm', NULL, NULL, NULL, NULL, NULL, '2025-02-02 10:00:00+03', NULL),
    (5, 202, 'z-image', '{}', 5.00, 'canceled', NULL, NULL, 'key-5', NULL, NULL, '2025-02-03 10:00:00+03', NULL),
    (6, 202, 'z-image', '{}', 0.80, 'done', 'kie-6', '["https://files.example/7.png"]', 'key-6', 202, NULL,
     now() - interval '20 minutes', now() - interval '19 minutes'),   -- done just now, not delivered yet
    (7, 203, 'z-image', NULL, 0.80, 'failed', 'kie-7', NULL, 'key-7', 203, NULL, '2025-02-03 10:00:00+03', NULL),
    (8, 203, 'z-image', '{}', NULL, 'done', 'kie-8', '{"urls": ["https://files.example/8.png"]}', 'key-8', NULL,
     '2025-02-03 10:00:00+03', '2025-02-03 10:00:00+03', NULL),
    (9, 206, 'z-image', '{}', 0.80, 'running', 'kie-9', NULL, 'key-9', 206, NULL, now() - interval '2 minutes', NULL),
    (10, 201, 'z-image', '{}', 0.80, 'running', 'kie-1', NULL, 'key-10', NULL, NULL, now(), NULL),  -- whose is kie-1?
    (11, 998, 'z-image', '{}', 0.80, 'running', 'kie-11', NULL, 'key-11', NULL, NULL, now(), NULL);

CREATE TABLE ledger (
    id         bigserial PRIMARY KEY,
    user_id    bigint,
    kind       text,
    amount_rub numeric(12, 2),
    status     text DEFAULT 'done',
    ref        text,
    meta       jsonb,
    created_at timestamptz DEFAULT now()
);
INSERT INTO ledger (user_id, kind, amount_rub, status, ref, meta) VALUES
    (201, 'topup', 1002.10, 'done', 'payment:1', NULL),
    (201, 'charge', 0.80, 'done', 'job:1', '{"job_id": 1}'),
    (201, 'hold', 0.80, 'done', 'key-2', NULL),         -- 1002.10 - 0.80 = 1000.50 + 0.80
    (203, 'topup', 12.34, 'done', NULL, NULL),
    (203, 'hold', 7, 'done', 'key-7', NULL),            -- 12.34 is the balance as it is
    (206, 'topup', 0.80, 'done', NULL, NULL),
    (206, 'charge', 0.80, 'done', 'job:9', NULL),
    (206, 'charge', 0.80, 'failed', 'job:9', NULL),
    (997, 'topup', 1, 'done', NULL, NULL);

CREATE TABLE referrals (user_id bigint, referrer_id bigint, created_at timestamptz DEFAULT now());
INSERT INTO referrals (user_id, referrer_id) VALUES (202, 201), (202, 201), (996, 201);

CREATE TABLE orphan_callbacks (
    task_id       text,
    payload       json,
    received_at   timestamp,
    processed     boolean,
    processed_at  timestamp,
    error_message text
);
INSERT INTO orphan_callbacks VALUES
    ('kie-2', '{"taskId": "kie-2"}', '2025-02-01 10:00:00', false, NULL, NULL),
    ('kie-2', '{"taskId": "kie-2"}', '2025-02-01 10:00:01', false, NULL, NULL),
    (NULL, '{"a": "\u0000"}', NULL, true, NULL, 'no task');
