"""What is left at the provider, looked at now and then: whoever watches the shop sees it coming to an end."""

import structlog

from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError
from kiosk.metrics import BALANCE, UNKNOWN

log = structlog.get_logger()


async def look_at_credits(kie: KieClient) -> None:
    """The client remembers what it was told; a balance that cannot be had is not known any more."""
    try:
        await kie.credits()
    except KieError as error:
        BALANCE.set(UNKNOWN)
        log.info("credits.not_known", error=type(error).__name__)
