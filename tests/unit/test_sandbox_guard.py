"""The stand-ins never start beside production settings."""

import pytest

from sandbox.guard import ProductionSettings, refuse_production


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TELEGRAM_BOT_TOKEN": "", "KIE_API_KEY": "", "DATABASE_URL": ""},
        {"TELEGRAM_BOT_TOKEN": "4200:sandbox-bot", "KIE_API_KEY": "sandbox-key"},
        {"DATABASE_URL": "postgresql://u:p@127.0.0.1:5432/shop"},
        {"DATABASE_URL": "postgresql://u:p@localhost/shop"},
        {"DATABASE_URL": "postgresql://u:p@[::1]:5432/shop"},
        {"DATABASE_URL": "postgresql:///shop"},
        {"DATABASE_URL": "postgresql://u@/shop?host=/run/postgresql"},
        {"DATABASE_URL": "host=/run/postgresql dbname=shop"},
    ],
)
def test_sandbox_settings_are_accepted(environ: dict[str, str]) -> None:
    """Nothing, playthings, and a database on this machine are all fine."""
    refuse_production(environ)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
        ("TELEGRAM_BOT_TOKEN", "sandbox-bot"),
        ("TELEGRAM_BOT_TOKEN", "1:sandbox\n2:AAH"),
        ("KIE_API_KEY", "4d2f8a6b0c1e4f7a9b3d5c7e9f1a2b3c"),
        ("DATABASE_URL", "postgresql://u:secret@db.example.com/shop"),
        ("DATABASE_URL", "postgresql://u:secret@10.0.0.5/shop"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1,10.0.0.5/shop"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1/shop?host=db.example.com"),
        ("DATABASE_URL", "host=db.example.com password=secret dbname=shop"),
        ("DATABASE_URL", "postgresql://u:secret@[::1/shop"),
    ],
)
def test_production_settings_are_refused(variable: str, value: str) -> None:
    """One clear line names the variable and never shows its value."""
    with pytest.raises(ProductionSettings) as refused:
        refuse_production({variable: value})
    assert variable == refused.value.variable
    assert variable in str(refused.value)
    assert value not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
