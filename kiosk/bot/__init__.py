"""The shop's window in Telegram: updates in, screens out."""
