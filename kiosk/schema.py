"""The schema of a database as text, by the pg_dump that comes with the embedded PostgreSQL."""

import asyncio
import re

from kiosk.postgres.clients import apart
from kiosk.postgres.keeper import Owner
from kiosk.postgres.programs import PostgresFailed, Programs

PREAMBLE_ENDS = "SET row_security = off;\n"
# Settings of pg_dump's own, and the random word by which it guards psql's commands.
NOISE = re.compile(r"^(SET default_\w+ = .*;|\\unrestrict .*)\n", re.MULTILINE)
HEADING = re.compile(r"^--\n-- .*\n--\n", re.MULTILINE)
BLANK_LINES = re.compile(r"\n{3,}")


async def describe_schema(dsn: str) -> str:
    """The statements that would make the schema, in an order of pg_dump's that does not depend on history.

    Errors: PostgresFailed.
    """
    return await asyncio.to_thread(_dump, dsn)


def _dump(dsn: str) -> str:
    address, secret = apart(dsn)
    done = Programs.find(Owner(None, None)).run(
        "pg_dump",
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--dbname={address}",
        env=secret,
    )
    if done.returncode:
        raise PostgresFailed(f"cannot read the schema: {done.stderr.strip()}")
    statements = done.stdout.partition(PREAMBLE_ENDS)[2]
    return BLANK_LINES.sub("\n\n", HEADING.sub("", NOISE.sub("", statements))).strip() + "\n"
