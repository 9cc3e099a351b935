"""BOTS_FILE: read with the terms of the environment where it is silent, and refused with every flaw at once."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kiosk.bots import BadBots
from kiosk.errors import BadSettings
from kiosk.settings import Settings, load_settings

OWNER = "111:" + "Ow" * 16
PARTNER = "222:" + "Pa" * 16
THIRD = "333:" + "Th" * 16


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of whoever runs the tests, and no token in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_BOT_TOKEN", "BOTS_FILE", "PARTNER_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def settings(tmp_path: Path, text: str, **more: Any) -> Settings:
    file = tmp_path / "bots.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings({"bots_file": file, "telegram_bot_token": OWNER, **more}, env_file=None)


def test_without_the_file_there_is_one_bot() -> None:
    """It sells on the terms of the environment."""
    (bot,) = load_settings({"telegram_bot_token": OWNER, "admin_id": "5", "price_multiplier": 3}, env_file=None).bots
    assert (bot.id, bot.token, bot.admins, bot.price_multiplier) == (111, OWNER, {5}, 3)


def test_bot_of_the_file_has_its_own_terms(tmp_path: Path) -> None:
    """What its entry says holds for it alone; the owner's bot stays first and as it was."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "prices.yaml").write_text("models: {}", encoding="utf-8")
    entry = f"""
bots:
  - token: "{PARTNER}"
    admins: [7, 8]
    price_multiplier: 3.5
    support: "@partner_help"
    welcome_balance_rub: 12.50
    prices_file: prices.yaml
    single_model_only: true
    texts: texts
"""
    owner, partner = settings(tmp_path, entry, admin_id="5").bots
    assert (owner.id, owner.admins, owner.texts) == (111, {5}, None)
    assert (partner.id, partner.admins, partner.support) == (222, {7, 8}, "partner_help")
    assert (partner.price_multiplier, partner.welcome_balance_rub) == (Decimal("3.5"), Decimal("12.5"))
    assert (partner.prices_file, partner.texts) == (tmp_path / "prices.yaml", tmp_path / "texts")
    assert partner.single_model_only


def test_silent_entry_takes_the_terms_of_the_environment_but_no_admins(tmp_path: Path) -> None:
    """The owner's operators are not the partner's."""
    text = f'bots: [{{token: "{PARTNER}"}}]'
    more = {"admin_id": "5", "price_multiplier": 4, "support_telegram": "@owner", "welcome_balance_rub": 9}
    _, partner = settings(tmp_path, text, **more).bots
    assert (partner.admins, partner.price_multiplier, partner.support) == (frozenset(), 4, "owner")
    assert partner.welcome_balance_rub == 9


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_token_by_the_name_of_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """The file need not hold a secret."""
    if where == "environment":
        monkeypatch.setenv("PARTNER_TOKEN", PARTNER)
    else:
        (tmp_path / ".env").write_text(f"PARTNER_TOKEN={PARTNER}\n", encoding="utf-8")
    assert [bot.id for bot in settings(tmp_path, "bots: [{token_env: PARTNER_TOKEN}]").bots] == [111, 222]


def test_file_may_hold_all_bots(tmp_path: Path) -> None:
    """Without TELEGRAM_BOT_TOKEN the first of the file is the owner's."""
    text = f'bots: [{{token: "{PARTNER}"}}, {{token: "{THIRD}"}}]'
    assert [bot.id for bot in settings(tmp_path, text, telegram_bot_token=None).bots] == [222, 333]


def test_all_tokens_are_secrets(tmp_path: Path) -> None:
    """The log hides those of the file, too, and nothing that is printed shows them."""
    found = settings(tmp_path, f'bots: [{{token: "{PARTNER}"}}]')
    assert {PARTNER, "Pa" * 16, OWNER} <= set(found.secrets())
    assert PARTNER not in repr(found.bots)


def test_every_flaw_is_told_at_once_and_no_secret(tmp_path: Path) -> None:
    """One line for each, with its place."""
    text = f"""
bots:
  - token: "Pa-no-token-at-all"
  - token_env: NO_SUCH_SETTING
    admins: [me]
  - token: "{PARTNER}"
    token_env: NO_SUCH_SETTING
  - token_env: NO_SUCH_SETTING
  - {{}}
  - token: "{PARTNER}"
    price_multiplier: 0.5
    support: "write to us"
  - token: "{PARTNER}"
    "{THIRD}": 1
  - token: "{PARTNER}"
    prices_file: none.yaml
    texts: none
  - just words
"""
    with pytest.raises(BadBots, match=r"^BOTS_FILE: ") as refused:
        _ = settings(tmp_path, text).bots
    places = [flaw.partition(":")[0] for flaw in refused.value.flaws]
    assert places == [
        "bots[0]",
        "bots[1].admins[0]",
        "bots[2]",
        "bots[3].token_env",
        "bots[4]",
        "bots[5].price_multiplier",
        "bots[5].support",
        "bots[6]",
        "bots[7].prices_file",
        "bots[7].texts",
        "bots[8]",
    ]
    assert [secret for secret in ("Pa-no-token", "PaPa", "ThTh") if secret in str(refused.value)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'bots: [{{token: "{OWNER}"}}]', "bot 111 is there twice, TELEGRAM_BOT_TOKEN included"),
        (f'bots: [{{token: "{PARTNER}"}}, {{token: "222:other"}}]', "bot 222 is there twice"),
        ("bots: []", "must be `bots:`"),
        ("", "must be `bots:`"),
        ("bots: {}", "must be `bots:`"),
        ("more: 1\nbots: [{}]", "must be `bots:`"),
        (f'bots:\n  - token: "{PARTNER}\n', "this is no YAML"),
        (f"bots:\n  - token: {PARTNER}\n    token: {THIRD}\n", "line 2: a key is written twice"),
    ],
)
def test_file_as_a_whole_is_checked(tmp_path: Path, text: str, told: str) -> None:
    """A bot that is there twice, a file of another shape, and no word of what stands in it."""
    with pytest.raises(BadBots, match=r"^BOTS_FILE: ") as refused:
        _ = settings(tmp_path, text).bots
    assert told in str(refused.value)
    assert "PaPa" not in str(refused.value)


def test_file_that_is_not_there_is_named() -> None:
    """As any other setting."""
    with pytest.raises(BadSettings, match=r"^BOTS_FILE: "):
        load_settings({"bots_file": "no-such-file.yaml"}, env_file=None)
