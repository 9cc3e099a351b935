"""How outputs of a generation reach the chat: planned purely, fetched, sent, and remembered row by row."""
