"""Files that customers send: looked at when they come, handed to the provider when their order is placed."""
