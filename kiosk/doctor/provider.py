"""The provider: whether it takes our key, what is left there, and whether customers' files can be handed over."""

import base64
from typing import Final

from kiosk.doctor.finding import Finding, failed, ok, skipped, warning
from kiosk.doctor.patient import Patient
from kiosk.errors import BadSettings
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError, Unauthorized
from kiosk.kie.pacing import Waits

KEY: Final = "provider"
FILES: Final = "file host"
NEW_KEY: Final = "put a key from kie.ai/api-key into KIE_API_KEY"
# A white dot: what is handed over for a look is forgotten there after a day.
DOT: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEANl9ngAAAAABJRU5ErkJggg=="
)


async def key(patient: Patient) -> Finding:
    """Whether the key is taken, and how many credits are left."""
    try:
        balance = await _client(patient).credits()
    except BadSettings as problem:
        return failed(KEY, str(problem), NEW_KEY)
    except Unauthorized:
        return failed(KEY, "the provider does not accept the key", NEW_KEY)
    except KieError as error:
        return failed(KEY, f"the provider cannot be asked: {type(error).__name__}", "open the way to KIE_BASE_URL")
    low, left = patient.settings.low_credits, f"{balance.normalize():f}"
    if balance <= 0:
        return failed(KEY, "no credits are left, so nothing can be made", "top up at the provider")
    if balance < low:
        return warning(KEY, f"{left} credits are left, less than LOW_CREDITS ({low:f})", "top up at the provider")
    return ok(KEY, f"the key is taken; {left} credits are left")


async def file_host(patient: Patient) -> Finding:
    """Hands a dot over, as a customer's picture would be; costs nothing."""
    try:
        await _client(patient).upload(DOT, file_name="dot.png", mime_type="image/png", folder="kiosk")
    except BadSettings:
        return skipped(FILES, "there is no key to ask with")
    except Unauthorized:
        return failed(FILES, "the host of customers' files does not accept the key", NEW_KEY)
    except KieError as error:
        said = f"customers' files cannot be handed over: {type(error).__name__}"
        return failed(FILES, said, "open the way to KIE_UPLOAD_URL")
    return ok(FILES, "takes customers' files")


def _client(patient: Patient) -> KieClient:
    """Tries once: whoever looks wants to see what is there now. Errors: BadSettings."""
    settings = patient.settings
    return KieClient(
        patient.session,
        api_key=settings.provider_key(),
        base_url=settings.kie_base_url,
        upload_url=settings.kie_upload_url,
        timeout_s=10,
        upload_timeout_s=10,
        waits=Waits(tries=1),
    )
