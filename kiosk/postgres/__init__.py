"""An embedded PostgreSQL for one machine: no root, no packages of the system, no containers."""

from kiosk.postgres.programs import PostgresFailed
from kiosk.postgres.server import EmbeddedPostgres, embedded_postgres, embedded_postgres_async

__all__ = ["EmbeddedPostgres", "PostgresFailed", "embedded_postgres", "embedded_postgres_async"]
