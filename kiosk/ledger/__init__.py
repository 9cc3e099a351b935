"""Money: accounts, transfers, and the proof that they agree."""
