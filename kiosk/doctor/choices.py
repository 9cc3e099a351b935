"""The settings: what can be told of them without asking anybody."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from kiosk.catalog.shelf import default_shelf
from kiosk.doctor.finding import Finding, failed, ok, warning
from kiosk.doctor.patient import Patient
from kiosk.errors import CannotStart
from kiosk.settings import Settings

SETTINGS: Final = "settings"
CATALOG: Final = "catalog"
THIN: Final = Decimal("1.1")


async def catalog(patient: Patient) -> Finding:
    """What is sold, with the operator's prices; reading it takes a while, and nobody else may wait for that."""
    return await asyncio.to_thread(_sold, patient.settings)


def _sold(settings: Settings) -> Finding:
    try:
        overrides = settings.prices_file.read_text(encoding="utf-8") if settings.prices_file else None
        shelf = default_shelf(overrides)
    except (CannotStart, OSError, ValueError) as problem:
        return failed(CATALOG, str(problem), "mend the file that PRICES_FILE names")
    sold = [model for model in shelf.models if shelf.why_not_sold(model) is None]
    if not sold:
        return failed(CATALOG, "nothing is sold", "look at PRICES_FILE; `kiosk models` says why of each")
    return ok(CATALOG, f"{len(sold)} models can be sold" + (", one is shown" if settings.single_model_only else ""))


async def sanity(patient: Patient) -> list[Finding]:
    """Choices that work and that nobody may have meant."""
    return list(doubts(patient.settings)) or [ok(SETTINGS, "nothing odd")]


def doubts(settings: Settings) -> Iterator[Finding]:
    """Pure: one finding for each."""
    if not settings.admin_id:
        yield warning(SETTINGS, "nobody is told of what goes wrong", "put your number in Telegram into ADMIN_ID")
    if settings.price_multiplier < THIN:
        said = f"prices are the provider's times {settings.price_multiplier:f}: no margin"
        yield warning(SETTINGS, said, "raise PRICE_MULTIPLIER")
    if settings.enable_health_server is False and settings.bot_mode == "polling":
        yield warning(SETTINGS, "nobody can see whether the shop lives", "set ENABLE_HEALTH_SERVER=true")
    if not settings.support_telegram:
        yield warning(SETTINGS, "customers are not told whom to write to", "put a name into SUPPORT_TELEGRAM")
    if settings.log_level == "debug":
        yield warning(SETTINGS, "the log tells everything, and grows", "set LOG_LEVEL=info")
    if settings.allow_private_links:
        yield warning(SETTINGS, "links of customers may lead into private networks", "set ALLOW_PRIVATE_LINKS=false")
