-- Groups number their messages on their own: the same number in two chats is two messages.

DROP INDEX generations_one_draft_per_message;
CREATE UNIQUE INDEX generations_one_draft_per_message ON generations (customer_id, chat_id, message_id)
    WHERE state = 'draft';
