-- The first generation of the earlier bot: balances in users, orders in generation_jobs, naive times. Made up.

CREATE TABLE users (
    id         bigserial PRIMARY KEY,
    user_id    bigint UNIQUE,
    balance    numeric DEFAULT 0,
    username   text,
    first_name text,
    last_name  text,
    created_at timestamp DEFAULT (now() AT TIME ZONE 'UTC')
);
INSERT INTO users (user_id, balance, username, first_name, created_at) VALUES
    (101, 150.50, 'anna', 'Анна', '2024-03-01 10:00:00'),
    (102, 0, NULL, NULL, NULL),
    (103, -25, 'boris', 'Борис', '2024-03-02 10:00:00'),        -- owes something
    (104, 10.005, '@clara', 'Клара', '2024-03-03 10:00:00'),    -- half a kopeck
    (105, NULL, 'dora', 'Дора', '2024-03-04 10:00:00'),
    (NULL, 77, 'nobody', 'Никто', '2024-03-05 10:00:00'),       -- no number
    (106, 30, 'egor', 'Егор', '2024-03-06 10:00:00');           -- something is still being made

CREATE TABLE generation_jobs (
    job_id           text PRIMARY KEY,
    user_id          bigint,
    model_id         text,
    model_name       text,
    params           jsonb,
    price            numeric,
    status           text,
    external_task_id text,
    result_urls      text,
    error_message    text,
    delivered_at     timestamp,
    created_at       timestamp,
    updated_at       timestamp
);
INSERT INTO generation_jobs VALUES
    ('g-done', 101, 'z-image', 'Z-Image', '{"prompt": "кот", "aspect_ratio": "1:1"}', 0.80, 'completed', 'task-done',
     '["https://files.example/1.png", "https://files.example/2.png"]', NULL, '2024-04-01 12:01:00',
     '2024-04-01 12:00:00', '2024-04-01 12:01:00'),
    ('g-one-url', 101, 'gone-model', 'Gone', '"not an object"', 5, 'DONE', NULL, 'https://files.example/3.mp4',
     NULL, '2024-04-02 12:01:00', '2024-04-02 12:00:00', NULL),
    ('g-failed', 101, 'z-image', 'Z-Image', NULL, 0.80, 'failed', 'task-failed', NULL, 'oops', NULL,
     '2024-04-03 12:00:00', '2024-04-03 12:02:00'),
    ('g-dear-failure', 102, 'z-image', 'Z-Image', NULL, 999, 'error', NULL, NULL, 'oops', NULL,
     '2024-04-03 12:00:00', NULL),
    ('g-empty', 101, 'z-image', 'Z-Image', '{}', 0.80, 'completed', 'task-empty', '[]', NULL, NULL,
     '2024-04-04 12:00:00', NULL),
    ('g-free', 101, 'z-image', 'Z-Image', '{}', 0, 'completed', 'task-free', '["https://files.example/4.png"]', NULL,
     '2024-04-05 12:00:00', '2024-04-05 12:00:00', NULL),
    ('g-undelivered', 101, 'z-image', 'Z-Image', '{}', 0.80, 'completed', 'task-old', '["https://files.example/5.png"]',
     NULL, NULL, '2024-04-06 12:00:00', NULL),
    ('g-stranger', 999, 'z-image', 'Z-Image', '{}', 0.80, 'completed', 'task-stranger', NULL, NULL, NULL,
     '2024-04-06 12:00:00', NULL),
    ('g-ownerless', NULL, 'z-image', 'Z-Image', '{}', 0.80, 'running', 'task-ownerless', NULL, NULL, NULL,
     '2024-04-06 12:00:00', NULL),
    ('g-odd', 101, 'z-image', 'Z-Image', '{}', 0.80, 'teleported', NULL, NULL, NULL, NULL, '2024-04-07 12:00:00', NULL),
    ('g-old', 106, 'z-image', 'Z-Image', '{}', 0.80, 'running', 'task-ancient', NULL, NULL, NULL,
     '2024-04-07 12:00:00', NULL),
    ('g-queued', 106, 'z-image', 'Z-Image', '{}', 0.80, 'pending', NULL, NULL, NULL, NULL,
     now() AT TIME ZONE 'UTC' - interval '5 minutes', NULL),
    ('g-alive', 106, 'z-image', 'Z-Image', '{"prompt": "кот"}', 0.80, 'processing', 'task-alive', NULL, NULL, NULL,
     now() AT TIME ZONE 'UTC' - interval '5 minutes', NULL),
    ('g-too-dear', 106, 'z-image', 'Z-Image', '{}', 500, 'running', 'task-dear', NULL, NULL, NULL,
     now() AT TIME ZONE 'UTC' - interval '4 minutes', NULL);

CREATE TABLE payments (
    payment_id         bigserial PRIMARY KEY,
    user_id            bigint,
    amount             numeric,
    payment_method     text,
    screenshot_file_id text,
    status             text,
    admin_id           bigint,
    notes              text,
    idempotency_key    text,
    created_at         timestamp
);
INSERT INTO payments (user_id, amount, payment_method, status, idempotency_key, created_at) VALUES
    (101, 100, 'Card', 'approved', 'pay-1', '2024-03-01 11:00:00'),
    (101, 100, 'card', 'approved', 'pay-1', '2024-03-01 11:00:05'),     -- the same once more
    (101, 50.25, 'sbp', 'completed', NULL, '2024-03-10 23:59:59'),
    (102, 300, 'sbp', 'pending', NULL, '2024-03-11 11:00:00'),          -- nobody decided
    (103, 10, 'sbp', 'rejected', NULL, '2024-03-11 11:00:00'),
    (103, 0, 'sbp', 'approved', NULL, '2024-03-11 11:00:00'),
    (105, 40, NULL, 'approved', NULL, NULL),
    (999, 10, 'sbp', 'approved', NULL, '2024-03-11 11:00:00');          -- of nobody
