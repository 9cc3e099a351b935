"""The schema of a database as text, by the pg_dump that comes with the embedded PostgreSQL."""

import asyncio
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from kiosk.postgres.keeper import Owner
from kiosk.postgres.programs import PostgresFailed, Programs

# What differs between two dumps of one schema: versions, and a random word that guards psql's commands.
NOISE = re.compile(r"^(-- Dumped (from|by) .*|\\(un)?restrict .*)\n", re.MULTILINE)
HEADING = re.compile(r"^--\n-- .*\n--\n", re.MULTILINE)
BLANK_LINES = re.compile(r"\n{3,}")


async def describe_schema(dsn: str) -> str:
    """The statements that would make the schema, in an order of pg_dump's that does not depend on history.

    Errors: PostgresFailed.
    """
    return await asyncio.to_thread(_dump, dsn)


def _dump(dsn: str) -> str:
    parts = urlsplit(dsn)
    # Everybody can read the arguments of a process, but not its environment.
    public = urlunsplit(parts._replace(netloc=re.sub(r":[^:@]*@", "@", parts.netloc)))
    done = Programs.find(Owner(None, None)).run(
        "pg_dump",
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--dbname={public}",
        env={"PGPASSWORD": unquote(parts.password or "")},
    )
    if done.returncode:
        raise PostgresFailed(f"cannot read the schema: {done.stderr.strip()}")
    return BLANK_LINES.sub("\n\n", HEADING.sub("", NOISE.sub("", done.stdout))).strip() + "\n"
