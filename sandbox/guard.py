"""The stand-ins refuse to run beside production settings: a wrong terminal must not mix play money with real money."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

_SANDBOX_TOKEN = re.compile(r"\d+:sandbox[\w-]*")
_KEYWORD_HOST = re.compile(r"\bhost(?:addr)?\s*=\s*'?([^\s']+)")


class ProductionSettings(Exception):  # noqa: N818 - the name states the fact
    """The environment holds settings of a real shop; the message names the variable and never its value."""

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"the sandbox refuses to start: {variable} is not a sandbox setting ({expected})")
        self.variable = variable


def refuse_production(environ: Mapping[str, str]) -> None:
    """Raise ProductionSettings when a bot token, a provider key or a database address is not a local plaything."""
    token, key = environ.get("TELEGRAM_BOT_TOKEN", ""), environ.get("KIE_API_KEY", "")
    if token and not _SANDBOX_TOKEN.fullmatch(token):
        raise ProductionSettings("TELEGRAM_BOT_TOKEN", "expected <digits>:sandbox...")
    if key and not key.startswith("sandbox"):
        raise ProductionSettings("KIE_API_KEY", "expected a key that starts with sandbox")
    database = environ.get("DATABASE_URL", "")
    if database and not _is_local(database):
        raise ProductionSettings("DATABASE_URL", "expected a loopback address or a unix socket")


def _is_local(database_url: str) -> bool:
    try:
        return all(_is_loopback(host) for host in _hosts(database_url))
    except ValueError:
        return False


def _hosts(database_url: str) -> Iterator[str]:
    """Every host a URL or a keyword string names: several are allowed, and `?host=` overrides the address."""
    if "://" not in database_url:
        yield from (host for group in _KEYWORD_HOST.findall(database_url) for host in group.split(","))
        return
    parts = urlsplit(database_url)
    authority = parts.netloc.rpartition("@")[2]
    named = [re.sub(r":\d*$", "", host) for host in authority.split(",") if host]
    query = parse_qs(parts.query)
    named += [host for group in query.get("host", []) + query.get("hostaddr", []) for host in group.split(",")]
    yield from (unquote(host) for host in named if host)


def _is_loopback(host: str) -> bool:
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    return ipaddress.ip_address(host.strip("[]")).is_loopback
