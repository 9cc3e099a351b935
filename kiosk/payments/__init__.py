"""Money that comes in: payments, each of which is one top-up."""
