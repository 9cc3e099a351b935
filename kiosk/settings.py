"""What the operator decides, read once from the environment (and `.env`)."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kiosk.errors import BadSettings

MAX_PORT = 65535
KIE_KEY_MISSING = "set the provider's API key, or try everything without one: make demo"
TOKEN_MISSING = "set the token that @BotFather gave your bot, or try everything without one: make demo"  # noqa: S105 - a text


class Settings(BaseSettings):
    """Field names in upper case are the names in the environment; `.env.example` describes each."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    telegram_bot_token: SecretStr | None = None
    telegram_base_url: str = "https://api.telegram.org"
    bot_mode: Literal["polling", "webhook"] = "polling"
    webhook_base_url: str | None = None

    kie_api_key: SecretStr | None = None
    kie_base_url: str = "https://api.kie.ai"
    kie_upload_url: str = "https://kieai.redpandaai.co"
    kie_webhook_hmac_key: SecretStr | None = None

    database_url: SecretStr | None = None
    data_dir: Path = Path("data")
    database_pool_size: int = Field(default=10, ge=2, le=200)

    host: str = "0.0.0.0"  # noqa: S104 - a hosting platform routes to the container's outer address
    port: int = Field(default=8080, ge=0, le=MAX_PORT)
    enable_health_server: bool = True

    single_model_only: bool = Field(
        default=False, validation_alias=AliasChoices("SINGLE_MODEL_ONLY", "ENABLE_Z_IMAGE_ONLY")
    )
    admin_id: Annotated[tuple[int, ...], NoDecode] = ()
    support_telegram: str = ""
    rub_per_usd: Decimal = Field(default=Decimal(100), gt=0)
    price_multiplier: Decimal = Field(default=Decimal(2), ge=1)
    prices_file: Path | None = None
    welcome_balance_rub: Decimal = Field(default=Decimal(0), ge=0, decimal_places=2)

    submit_grace_s: float = Field(default=60, gt=0)
    poll_first_s: float = Field(default=5, gt=0)
    image_deadline_s: float = Field(default=1800, gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("admin_id", mode="before")
    @classmethod
    def _split_ids(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("telegram_base_url", "kie_base_url", "kie_upload_url", "webhook_base_url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http://)")
        return value.rstrip("/") if value else value

    @field_validator("support_telegram")
    @classmethod
    def _bare_name(cls, value: str) -> str:
        return value.strip().removeprefix("https://t.me/").removeprefix("@")

    @model_validator(mode="after")
    def _webhook_has_address(self) -> "Settings":
        if self.bot_mode == "webhook" and not self.webhook_base_url:
            raise BadSettings("WEBHOOK_BASE_URL", "BOT_MODE=webhook needs the public address of this server")
        return self

    def bot_token(self) -> str:
        """Errors: BadSettings when there is none or it does not look like one."""
        token = self.telegram_bot_token.get_secret_value() if self.telegram_bot_token else ""
        if not token:
            raise BadSettings("TELEGRAM_BOT_TOKEN", TOKEN_MISSING)
        number, colon, rest = token.partition(":")
        if not (number.isdigit() and colon and rest):
            raise BadSettings("TELEGRAM_BOT_TOKEN", "must look like 123456789:AbC…")
        return token

    def provider_key(self) -> str:
        """Errors: BadSettings when there is none."""
        if not self.kie_api_key:
            raise BadSettings("KIE_API_KEY", KIE_KEY_MISSING)
        return self.kie_api_key.get_secret_value()

    def secrets(self) -> tuple[str, ...]:
        """Every value that no log line may contain."""
        held = (self.telegram_bot_token, self.kie_api_key, self.kie_webhook_hmac_key, self.database_url)
        return tuple(secret.get_secret_value() for secret in held if secret)


def load_settings(values: Mapping[str, object] | None = None, *, env_file: str | None = ".env") -> Settings:
    """Reads the environment; `values` (by field name) win over it.

    Errors: BadSettings, naming the first setting that is missing or malformed and never its value.
    """
    try:
        return Settings(_env_file=env_file, **dict(values or {}))  # type: ignore[arg-type]  # names come from outside
    except ValidationError as error:
        raise _first_problem(error.errors()[0]) from None


def _first_problem(detail: ErrorDetails) -> BadSettings:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, BadSettings):
        return cause
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    return BadSettings(name, detail["msg"].removeprefix("Value error, "))
