"""Background work: our names for the jobs, over PgQueuer."""
