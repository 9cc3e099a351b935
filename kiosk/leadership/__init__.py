"""Who acts alone: of all replicas, one at a time polls a bot."""
