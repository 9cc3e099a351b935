"""A run that anyone can repeat: several replicas, hostile neighbours, a nemesis, and a verdict from outside."""
