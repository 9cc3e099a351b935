"""What the operator decides, read once from the environment (and `.env`)."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kiosk.bots import BOT_TOKEN, BotProfile, Multiplier, Support, TelegramId, WelcomeRub, read_bots
from kiosk.errors import BadSettings

MAX_PORT: Final = 65535
DAY_S: Final = 86_400
IN_A_HEADER: Final = re.compile(r"[!-~]+")  # the key travels in one
PORT_OF_HOST: Final = re.compile(r":([0-9]+)(?=,|$)")
# Shorter ones are words such as "postgres", which must stay readable in the log.
LONG_ENOUGH_TO_HIDE: Final = 12
LONG_ENOUGH_FOR_A_TOKEN: Final = 16
SENTRY_DSN: Final = re.compile(r"https?://[!-~]+@[!-~]+/[0-9]+")
ALSO_CALLED: Final = {"SINGLE_MODEL_ONLY": "SINGLE_MODEL_ONLY (or ENABLE_Z_IMAGE_ONLY)"}
KIE_KEY_MISSING = "set the provider's API key, or try everything without one: make demo"
TOKEN_MISSING = "set the token that @BotFather gave your bot, or try everything without one: make demo"  # noqa: S105 - a text


class Settings(BaseSettings):
    """Field names in upper case are the names in the environment; `.env.example` describes each."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    telegram_bot_token: SecretStr | None = None
    telegram_base_url: str = "https://api.telegram.org"
    telegram_messages_per_s: int = Field(default=30, ge=1, le=1000)
    bot_mode: Literal["polling", "webhook"] = "polling"
    lease_ttl_s: float = Field(default=15, ge=5, le=600)
    webhook_base_url: str | None = None
    bots_file: FilePath | None = None

    kie_api_key: SecretStr | None = None
    kie_base_url: str = "https://api.kie.ai"
    kie_upload_url: str = "https://kieai.redpandaai.co"
    kie_webhook_hmac_key: SecretStr | None = None

    database_url: SecretStr | None = None
    database_pooler_url: SecretStr | None = None
    allow_newer_schema: bool = False
    data_dir: Path = Path("data")
    database_pool_size: int = Field(default=10, ge=2, le=200)
    startup_wait_s: float = Field(default=60, ge=0, le=3600)

    host: str = "0.0.0.0"  # noqa: S104 - a hosting platform routes to the container's outer address
    port: int = Field(default=8080, ge=0, le=MAX_PORT)
    enable_health_server: bool | None = None

    single_model_only: bool = Field(
        default=False, validation_alias=AliasChoices("SINGLE_MODEL_ONLY", "ENABLE_Z_IMAGE_ONLY")
    )
    admin_id: Annotated[tuple[TelegramId, ...], NoDecode] = ()
    support_telegram: Support = ""
    rub_per_usd: Decimal = Field(default=Decimal(100), gt=0, le=1_000_000)
    price_multiplier: Multiplier = Decimal(2)
    prices_file: FilePath | None = None
    allow_private_links: bool = False
    welcome_balance_rub: WelcomeRub = Decimal(0)

    provider_creates: int = Field(default=20, ge=1, le=1000)
    provider_window_s: float = Field(default=10, gt=0, le=3600)
    open_orders_per_customer: int = Field(default=5, ge=1, le=100)

    low_credits: Decimal = Field(default=Decimal(1000), ge=0, le=10**9)
    failure_share: Decimal = Field(default=Decimal("0.3"), gt=0, le=1)
    failures_at_least: int = Field(default=5, ge=1, le=10_000)
    failure_window_s: float = Field(default=3600, ge=60, le=DAY_S)

    submit_grace_s: float = Field(default=60, gt=0, le=DAY_S)
    poll_first_s: float = Field(default=5, gt=0, le=DAY_S)
    line_deadline_s: float = Field(default=1800, gt=0, le=DAY_S)
    image_deadline_s: float = Field(default=900, gt=0, le=DAY_S)
    video_deadline_s: float = Field(default=3600, gt=0, le=DAY_S)
    audio_deadline_s: float = Field(default=1800, gt=0, le=DAY_S)
    text_deadline_s: float = Field(default=900, gt=0, le=DAY_S)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    metrics_token: SecretStr | None = None
    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_headers: SecretStr | None = None
    sentry_dsn: SecretStr | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _without_spaces_around(cls, value: object) -> object:
        """A pasted value often brings a line end along."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("admin_id", mode="before")
    @classmethod
    def _split_ids(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator(
        "telegram_base_url", "kie_base_url", "kie_upload_url", "webhook_base_url", "otel_exporter_otlp_endpoint"
    )
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http://)")
        if not _leads_somewhere(value):
            raise ValueError("must look like https://example.com")
        return value.rstrip("/")

    @field_validator("database_url", "database_pooler_url")
    @classmethod
    def _is_postgres_address(cls, value: SecretStr | None) -> SecretStr | None:
        address = value.get_secret_value() if value else ""
        if address and not (address.startswith(("postgresql://", "postgres://")) and _ports_exist(address)):
            raise ValueError("must look like postgresql://user:password@host:5432/name")
        return value or None

    @field_validator("metrics_token")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        token = value.get_secret_value() if value else ""
        if token and (len(token) < LONG_ENOUGH_FOR_A_TOKEN or not IN_A_HEADER.fullmatch(token)):
            raise ValueError("must be 16 or more Latin letters, digits and signs without a space between")
        return value or None

    @field_validator("sentry_dsn")
    @classmethod
    def _is_dsn(cls, value: SecretStr | None) -> SecretStr | None:
        address = value.get_secret_value() if value else ""
        if address and not SENTRY_DSN.fullmatch(address):
            raise ValueError("must look like https://key@host/number")
        return value or None

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _is_headers(cls, value: SecretStr | None) -> SecretStr | None:
        pairs = [pair.partition("=") for pair in value.get_secret_value().split(",")] if value else []
        if not all(IN_A_HEADER.fullmatch(name.strip()) and sign and text.strip() for name, sign, text in pairs):
            raise ValueError("must look like name=value,other=value")
        return value or None

    @model_validator(mode="after")
    def _webhook_has_address(self) -> "Settings":
        if self.bot_mode == "webhook" and not self.webhook_base_url:
            raise BadSettings("WEBHOOK_BASE_URL", "BOT_MODE=webhook needs the public address of this server")
        return self

    @model_validator(mode="after")
    def _pooler_has_a_database(self) -> "Settings":
        if self.database_pooler_url and not self.database_url:
            raise BadSettings("DATABASE_URL", "DATABASE_POOLER_URL needs the address of PostgreSQL itself beside it")
        return self

    @model_validator(mode="after")
    def _private_links_stay_beside_stand_ins(self) -> "Settings":
        if self.allow_private_links and not _is_loopback(self.kie_base_url):
            raise BadSettings("ALLOW_PRIVATE_LINKS", "is for a provider on this very machine alone")
        return self

    def bot_token(self) -> str:
        """Errors: BadSettings when there is none or it does not look like one."""
        token = self.telegram_bot_token.get_secret_value() if self.telegram_bot_token else ""
        if not token:
            raise BadSettings("TELEGRAM_BOT_TOKEN", TOKEN_MISSING)
        if not BOT_TOKEN.fullmatch(token):
            raise BadSettings("TELEGRAM_BOT_TOKEN", "must look like 123456789:AbC…")
        return token

    @cached_property
    def bots(self) -> tuple[BotProfile, ...]:
        """All bots of this deployment, the owner's first. Errors: BadSettings, and then none is used."""
        if self.bots_file is None:
            return (self._profile(self.bot_token()),)
        first = self._profile(self.bot_token()) if self.telegram_bot_token else None
        return read_bots(self.bots_file, self._profile(""), named, first)

    def _profile(self, token: str) -> BotProfile:
        """A bot on the terms of the environment."""
        return BotProfile(
            token,
            frozenset(self.admin_id),
            self.price_multiplier,
            self.support_telegram,
            self.welcome_balance_rub,
            self.prices_file,
            self.single_model_only,
        )

    def provider_key(self) -> str:
        """Errors: BadSettings when there is none or it cannot be sent."""
        key = self.kie_api_key.get_secret_value() if self.kie_api_key else ""
        if not key:
            raise BadSettings("KIE_API_KEY", KIE_KEY_MISSING)
        if not IN_A_HEADER.fullmatch(key):
            raise BadSettings("KIE_API_KEY", "must be Latin letters, digits and signs without a space between")
        return key

    def metrics_secret(self) -> str | None:
        """What whoever scrapes has to bring."""
        return self.metrics_token.get_secret_value() if self.metrics_token else None

    def secrets(self) -> tuple[str, ...]:
        """Every value that no log line may contain."""
        held = (
            self.telegram_bot_token,
            self.kie_api_key,
            self.kie_webhook_hmac_key,
            self.database_url,
            self.database_pooler_url,
            self.metrics_token,
            self.otel_exporter_otlp_headers,
            self.sentry_dsn,
        )
        others = [bot.token for bot in self.bots] if self.bots_file else []
        values = (*(secret.get_secret_value() for secret in held if secret), *others)
        headers = self.otel_exporter_otlp_headers.get_secret_value() if self.otel_exporter_otlp_headers else ""
        alone = (pair.partition("=")[2].strip() for pair in headers.split(","))
        parts = (part for value in dict.fromkeys(values) for part in with_parts(value))
        return (*parts, *(value for value in alone if len(value) >= LONG_ENOUGH_TO_HIDE))


def load_settings(values: Mapping[str, object] | None = None, *, env_file: str | None = ".env") -> Settings:
    """Reads the environment; `values` (by field name) win over it.

    Errors: BadSettings, naming the first setting that is missing or malformed and never its value.
    """
    try:
        return Settings(_env_file=env_file, **dict(values or {}))  # type: ignore[arg-type]  # names come from outside
    except ValidationError as error:
        raise _first_problem(error.errors()[0]) from None
    except (UnicodeDecodeError, OSError):
        raise BadSettings(str(env_file), "cannot be read: it must be a text in UTF-8") from None


class _Named(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    value: SecretStr | None = None


def named(name: str) -> str:
    """What the environment (or `.env`) holds under a name that an operator chose; "" for nothing."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return ""
    held = create_model("Held", __base__=_Named, value=(SecretStr | None, Field(default=None, validation_alias=name)))
    value = held().value
    return value.get_secret_value().strip() if value else ""


def _first_problem(detail: ErrorDetails) -> BadSettings:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, BadSettings):
        return cause
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    return BadSettings(ALSO_CALLED.get(name, name), detail["msg"].removeprefix("Value error, "))


def _is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")


def _leads_somewhere(address: str) -> bool:
    """Whether there is a host, and nothing that a path put behind it would collide with."""
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and not (parts.query or parts.fragment) and address.isprintable() and " " not in address


def _ports_exist(address: str) -> bool:
    """There may be several hosts, with commas between."""
    hosts = urlsplit(address).netloc.rpartition("@")[2]
    return all(len(port) <= len(str(MAX_PORT)) and int(port) <= MAX_PORT for port in PORT_OF_HOST.findall(hosts))


def with_parts(secret: str) -> Iterator[str]:
    """The value and what is secret in it by itself: the end of a bot token, the password of an address."""
    yield secret
    for part in (BOT_TOKEN.fullmatch(secret) and secret.partition(":")[2], _password(secret)):
        if part and len(part) >= LONG_ENOUGH_TO_HIDE:
            yield part


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None
