-- What was last set as a bot's webhook: its secret cannot be read back from Telegram.

ALTER TABLE bots ADD COLUMN webhook_mark text;

-- A person is found at every bot that knows them.
CREATE INDEX customers_telegram ON customers (telegram_id);
