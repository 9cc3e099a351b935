"""An address as PostgreSQL's own programs may be given it: everybody can read the arguments of a process."""

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

PASSWORD = re.compile(r":[^:@/]*@")


def apart(dsn: str) -> tuple[str, dict[str, str]]:
    """The address without its password, and the environment that holds it: that is read by nobody else."""
    parts = urlsplit(dsn)
    query = parse_qsl(parts.query, keep_blank_values=True)
    named = dict(query).get("password")
    password = named or unquote(parts.password or "")
    public = parts._replace(
        netloc=PASSWORD.sub("@", parts.netloc),
        query=urlencode([(name, value) for name, value in query if name != "password"]),
    )
    return urlunsplit(public), {"PGPASSWORD": password} if password else {}
