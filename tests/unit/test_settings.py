"""The operator's settings: documented, checked before anything starts, and silent about their secrets."""

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from kiosk.errors import BadSettings
from kiosk.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
ASSIGNMENT = re.compile(r"([A-Z][A-Z_]*)=(.*)")
TOKEN = "123456789:" + "Tk" * 16
SECRETS = {
    "TELEGRAM_BOT_TOKEN": TOKEN,
    "KIE_API_KEY": "kie-key-that-nobody-knows",
    "KIE_WEBHOOK_HMAC_KEY": "hmac-key-that-nobody-knows",
    "DATABASE_URL": "postgresql://kiosk:password-of-nobody@db.example/kiosk",
    "METRICS_TOKEN": "token-of-whoever-scrapes",
    "OTEL_EXPORTER_OTLP_HEADERS": "X-Key=header-that-nobody-knows",
    "SENTRY_DSN": "https://0a1b2c3d4e5f@sentry.example/42",
    "DATABASE_POOLER_URL": "postgresql://kiosk:password-of-nobody-else@pooler.example/kiosk",
}
MALFORMED = [
    ("TELEGRAM_BASE_URL", "api.telegram.example"),
    ("TELEGRAM_BASE_URL", "https:///bots"),
    ("KIE_BASE_URL", "ftp://files.example"),
    ("KIE_BASE_URL", "https://host.example:port"),
    ("KIE_BASE_URL", "https://host.example/a b"),
    ("KIE_UPLOAD_URL", "https://host.example?a=b"),
    ("WEBHOOK_BASE_URL", "https://host.example/#top"),
    ("BOT_MODE", "carrier-pigeon"),
    ("DATABASE_URL", "mysql://host.example/shop"),
    ("DATABASE_POOL_SIZE", "1"),
    ("PORT", "eighty"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("ENABLE_HEALTH_SERVER", "perhaps"),
    ("SINGLE_MODEL_ONLY", "perhaps"),
    ("ENABLE_Z_IMAGE_ONLY", "perhaps"),
    ("ADMIN_ID", "123,somebody"),
    ("ADMIN_ID", "0"),
    ("SUPPORT_TELEGRAM", "write to us"),
    ("RUB_PER_USD", "ninety"),
    ("RUB_PER_USD", "nan"),
    ("RUB_PER_USD", "1e400"),
    ("RUB_PER_USD", "0"),
    ("PRICE_MULTIPLIER", "0.99"),
    ("PRICES_FILE", "no-such-file.yaml"),
    ("WELCOME_BALANCE_RUB", "1.001"),
    ("WELCOME_BALANCE_RUB", "-1"),
    ("SUBMIT_GRACE_S", "inf"),
    ("POLL_FIRST_S", "0"),
    ("LINE_DEADLINE_S", "0"),
    ("IMAGE_DEADLINE_S", "nan"),
    ("VIDEO_DEADLINE_S", "-1"),
    ("LOG_LEVEL", "chatty"),
    ("LOG_FORMAT", "verse"),
    ("METRICS_TOKEN", "too-short"),
    ("METRICS_TOKEN", "with a space in the middle"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,=c"),
    ("SENTRY_DSN", "https://sentry.example/42"),
]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in (*documented(), "ENABLE_Z_IMAGE_ONLY"):
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(env_file=None)


def documented() -> dict[str, str]:
    """Name and default of every setting that .env.example lists."""
    found = (ASSIGNMENT.fullmatch(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines())
    return {match[1]: match[2] for match in found if match}


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    """A setting without a word about it, or a word about no setting, is found here."""
    assert documented().keys() == {name.upper() for name in Settings.model_fields}


def test_example_shows_the_defaults() -> None:
    """The example, copied as it is, changes nothing; so what it shows are the defaults."""
    assert load_settings(env_file=str(EXAMPLE)) == load_settings(env_file=None)


def test_example_shows_each_default_that_is_not_empty() -> None:
    """An empty value stands only where there is no default to show."""
    values = load_settings(env_file=None).model_dump()
    empty = {name for name, shown in documented().items() if not shown}
    assert empty == {name.upper() for name, value in values.items() if value in (None, "", ())}


def test_each_setting_in_the_example_is_explained() -> None:
    """Directly above each setting stands one line of plain words."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    above = [(line, before) for before, line in pairwise(lines) if ASSIGNMENT.fullmatch(line)]
    assert [line for line, before in above if not re.fullmatch(r"# .{20,117}[.]", before)] == []


def test_both_names_of_the_single_model_setting_are_documented() -> None:
    """The older name still works, so it is told."""
    assert "ENABLE_Z_IMAGE_ONLY" in EXAMPLE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["SINGLE_MODEL_ONLY", "ENABLE_Z_IMAGE_ONLY"])
def test_single_model_by_either_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Both names switch the shop to one model."""
    assert load(monkeypatch, **{name: "true"}).single_model_only is True


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_malformed_value_is_one_line_naming_the_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What cannot be understood stops the start with one line that names the setting and keeps its value back."""
    with pytest.raises(BadSettings) as refusal:
        load(monkeypatch, **{name: value})
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert value not in str(refusal.value) or len(value) < len("0.99")  # such a number may be the bound


@pytest.mark.parametrize("token", ["", "no-colon", "12a:abc", "１２３:abc", "123:ab cd", ":abc", "123:"])
def test_malformed_bot_token_is_named_and_kept_back(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """What the Bot API's client would choke on is refused by name."""
    with pytest.raises(BadSettings, match=r"^TELEGRAM_BOT_TOKEN: ") as refusal:
        load(monkeypatch, TELEGRAM_BOT_TOKEN=token).bot_token()
    assert not token or token not in str(refusal.value)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ"])
def test_malformed_provider_key_is_named_and_kept_back(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """A key that cannot travel in a header is refused by name."""
    with pytest.raises(BadSettings, match=r"^KIE_API_KEY: ") as refusal:
        load(monkeypatch, KIE_API_KEY=key).provider_key()
    assert not key or key not in str(refusal.value)


def test_webhook_mode_needs_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhook mode without an address names the missing setting."""
    with pytest.raises(BadSettings, match=r"^WEBHOOK_BASE_URL: "):
        load(monkeypatch, BOT_MODE="webhook")


def test_pasted_values_lose_the_space_around_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line end that came along with a pasted value is no part of it."""
    settings = load(monkeypatch, TELEGRAM_BOT_TOKEN=f" {TOKEN}\n", KIE_API_KEY="key\r\n", ADMIN_ID=" 12, 13 ,")
    assert (settings.bot_token(), settings.provider_key()) == (TOKEN, "key")
    assert settings.admin_id == (12, 13)


def test_blank_values_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hosting platform sets unused variables to nothing: then the defaults hold."""
    settings = load(monkeypatch, PORT="", DATABASE_URL=" ", RUB_PER_USD="")
    assert (settings.port, settings.database_url, settings.rub_per_usd) == (8080, None, Decimal(100))


@pytest.mark.parametrize("written", ["kiosk_help", "@kiosk_help", "https://t.me/kiosk_help", "t.me/kiosk_help"])
def test_support_is_a_bare_name(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """However the name is written, texts put the @ before it."""
    assert load(monkeypatch, SUPPORT_TELEGRAM=written).support_telegram == "kiosk_help"


def test_addresses_lose_the_slash_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are put behind an address with a slash of their own."""
    assert load(monkeypatch, WEBHOOK_BASE_URL="https://shop.example/").webhook_base_url == "https://shop.example"


def test_example_file_holds_no_secret() -> None:
    """Whatever is secret is empty in the example."""
    assert {documented()[name] for name in SECRETS} == {""}


@pytest.mark.parametrize("told", [repr, str, lambda settings: settings.model_dump_json()])
def test_settings_never_show_a_secret(monkeypatch: pytest.MonkeyPatch, told: "type[str]") -> None:
    """However settings are printed, the secrets in them are not."""
    shown = told(load(monkeypatch, **SECRETS))
    assert [name for name, secret in SECRETS.items() if secret in shown or secret[-12:] in shown] == []


def test_secrets_are_listed_with_what_is_secret_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log hides each secret value, and the half of a token, the password or the header that could stand alone."""
    secrets = load(monkeypatch, **SECRETS).secrets()
    alone = {"Tk" * 16, "password-of-nobody", "password-of-nobody-else", "header-that-nobody-knows"}
    assert set(secrets) == {*SECRETS.values(), *alone}


def test_common_words_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password "postgres" of a local database does not make the log unreadable."""
    assert load(monkeypatch, DATABASE_URL="postgresql://u:postgres@h/d").secrets() == ("postgresql://u:postgres@h/d",)


def test_unreadable_env_file_is_one_line(tmp_path: Path) -> None:
    """A .env in another encoding is named, and its content is not shown."""
    file = tmp_path / "local.env"
    file.write_bytes("SUPPORT_TELEGRAM=поддержка".encode("cp1251"))
    with pytest.raises(BadSettings, match="UTF-8") as refusal:
        load_settings(env_file=str(file))
    assert str(file) in str(refusal.value)


def test_values_given_by_name_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a shop from code decides over the environment."""
    monkeypatch.setenv("PORT", "1")
    assert load_settings({"port": 2, "single_model_only": True}, env_file=None).port == 2


def test_every_secret_field_is_among_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new secret setting is hidden from the log as well."""
    secret = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret == SECRETS.keys()
    assert set(SECRETS.values()) <= set(load(monkeypatch, **SECRETS).secrets())
