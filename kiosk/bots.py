"""The bots of one deployment, as BOTS_FILE names them: read and checked before anything starts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from kiosk.errors import BadSettings

# Bot API, "Authorizing your bot"; digits that fit the bigint which the bot's number becomes.
BOT_TOKEN: Final = re.compile(r"[0-9]{1,18}:[A-Za-z0-9_-]+")
TELEGRAM_NAME: Final = re.compile(r"[A-Za-z0-9_]{3,32}")
MOST_BOTS: Final = 100
MOST_CHARS: Final = 256 * 1024


def bare_name(value: str) -> str:
    """A name in Telegram without what stands before it. Errors: ValueError."""
    name = value.removeprefix("https://").removeprefix("t.me/").removeprefix("@")
    if name and not TELEGRAM_NAME.fullmatch(name):
        raise ValueError("must be a name in Telegram, such as @kiosk_support")
    return name


TelegramId = Annotated[int, Field(gt=0, lt=2**52)]  # Bot API, "User": at most 52 significant bits
Support = Annotated[str, AfterValidator(bare_name)]
Multiplier = Annotated[Decimal, Field(ge=1, le=1000)]
WelcomeRub = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=2)]


@dataclass(frozen=True, slots=True)
class BotProfile:
    """Who a bot is, and on which terms it sells; whoever reads it sees no token."""

    token: str = field(repr=False)
    admins: frozenset[int]
    price_multiplier: Decimal
    support: str
    welcome_balance_rub: Decimal
    prices_file: Path | None
    single_model_only: bool
    texts: Path | None = None

    @property
    def id(self) -> int:
        """Telegram's public number of it."""
        return int(self.token.partition(":")[0])


class BadBots(BadSettings):
    """BOTS_FILE is wrong; one line for each flaw, and no line with a secret."""

    def __init__(self, flaws: Iterable[str]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("BOTS_FILE", "\n".join(self.flaws))


def _written(value: object) -> object:
    """YAML reads 1001 as a number; a token that it takes for something else is none."""
    return value if isinstance(value, str) else ""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    token: Annotated[str, BeforeValidator(_written)] | None = None
    token_env: str | None = None
    admins: tuple[TelegramId, ...] = ()
    price_multiplier: Multiplier | None = None
    support: Support | None = None
    welcome_balance_rub: WelcomeRub | None = None
    prices_file: Path | None = None
    single_model_only: bool | None = None
    texts: Path | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """`otherwise` is what holds where an entry is silent; `named` gives a value of the environment by its name."""

    folder: Path
    otherwise: BotProfile
    named: Callable[[str], str]

    def profiles(self, entries: list[Any], flaws: list[str]) -> list[BotProfile]:
        """Those without a flaw, in the order of the file."""
        found = [self._profile(entry, f"bots[{index}]", flaws) for index, entry in enumerate(entries)]
        return [profile for profile in found if profile]

    def _profile(self, raw: object, where: str, flaws: list[str]) -> BotProfile | None:
        try:
            entry = _Entry.model_validate(raw)
        except ValidationError as error:
            flaws += [_told(where, detail) for detail in error.errors(include_input=False)]
            return None
        before = len(flaws)
        token = self._token(entry, where, flaws)
        prices = self._path(entry.prices_file, f"{where}.prices_file", Path.is_file, "there is no such file", flaws)
        texts = self._path(entry.texts, f"{where}.texts", Path.is_dir, "there is no such folder", flaws)
        if len(flaws) > before:
            return None
        return BotProfile(
            token,
            frozenset(entry.admins),
            _or(entry.price_multiplier, self.otherwise.price_multiplier),
            _or(entry.support, self.otherwise.support),
            _or(entry.welcome_balance_rub, self.otherwise.welcome_balance_rub),
            _or(prices, self.otherwise.prices_file),
            _or(entry.single_model_only, self.otherwise.single_model_only),
            texts,
        )

    def _token(self, entry: _Entry, where: str, flaws: list[str]) -> str:
        if (entry.token is None) == (entry.token_env is None):
            flaws.append(f"{where}: needs either `token` or `token_env`")
            return ""
        token = entry.token if entry.token is not None else self.named(entry.token_env or "")
        if entry.token_env is not None and not token:
            flaws.append(f"{where}.token_env: no setting of this name has a value")
        elif not BOT_TOKEN.fullmatch(token or ""):
            flaws.append(f"{where}: the token must look like 123456789:AbC…")
        return token or ""

    def _path(
        self, path: Path | None, where: str, there: Callable[[Path], bool], missing: str, flaws: list[str]
    ) -> Path | None:
        """Paths are as seen from the file."""
        if path is None:
            return None
        if not there(self.folder / path):
            flaws.append(f"{where}: {missing}")
        return self.folder / path


def read_bots(
    path: Path, otherwise: BotProfile, named: Callable[[str], str], first: BotProfile | None
) -> tuple[BotProfile, ...]:
    """`first`, if there is one, and those of the file. Errors: BadBots with every flaw at once."""
    flaws: list[str] = []
    entries = _entries(_text(path))
    if first is not None and len(entries) >= MOST_BOTS:
        flaws.append(f"at most {MOST_BOTS} bots")
    profiles = Reading(path.parent, otherwise, named).profiles(entries, flaws)
    everyone = ((first,) if first else ()) + tuple(profiles)
    numbers = [profile.id for profile in everyone]
    also = ", TELEGRAM_BOT_TOKEN included" if first else ""
    flaws += [f"bot {one} is there twice{also}" for one in sorted(set(numbers)) if numbers.count(one) > 1]
    if flaws:
        raise BadBots(flaws)
    return everyone


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadBots(["cannot be read: it must be a text in UTF-8"]) from None
    if len(text) > MOST_CHARS:
        raise BadBots([f"longer than {MOST_CHARS} characters"])
    return text


def _entries(text: str) -> list[Any]:
    """Errors: BadBots; the parser's own messages would quote lines, and so perhaps a token."""
    try:
        root = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadBots([f"line {line}: {error.problem if isinstance(error, _Twice) else 'this is no YAML'}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadBots(["this is no YAML"]) from None
    entries = root.get("bots") if isinstance(root, dict) and root.keys() == {"bots"} else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_BOTS:
        raise BadBots([f"must be `bots:` with a list of 1 to {MOST_BOTS} entries"])
    return entries


class _Twice(yaml.constructor.ConstructorError):
    """A key is written twice."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise _Twice(None, None, "a key is written twice", node.start_mark)
        return mapping


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _told(where: str, detail: ErrorDetails) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    if detail["type"] == "extra_forbidden":  # what stands there may be anything
        return f"{where}: a key that nobody knows; these are known: {', '.join(_Entry.model_fields)}"
    if detail["type"] == "model_type":
        return f"{where}: must be a list of keys with values"
    return f"{where}{place}: {detail['msg'].removeprefix('Value error, ')}"
