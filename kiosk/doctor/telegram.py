"""Telegram: whose token it is, and whether updates reach this shop."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kiosk.bot.kinds import ALLOWED_UPDATES
from kiosk.doctor.finding import Finding, failed, ok, skipped, warning
from kiosk.doctor.patient import Patient, Unheard, ask, number, tokens
from kiosk.errors import BadSettings

TOKEN: Final = "token"  # noqa: S105 - the name of a check
WEBHOOK: Final = "webhook"
MANY_WAITING: Final = 100
RECENTLY: Final = timedelta(hours=1)
UNAUTHORIZED: Final = (401, 404)  # a token that never was, and one that is no token, to the Bot API
NEW_TOKEN: Final = "put the present token from @BotFather into TELEGRAM_BOT_TOKEN"  # noqa: S105 - a text


class _Refused(Exception):  # noqa: N818 - it states a fact
    """The Bot API answered something else than a result; the message is a finding's words."""

    def __init__(self, status: int, said: str) -> None:
        self.status = status
        super().__init__(said)


async def token(patient: Patient) -> list[Finding]:
    """Whom each token belongs to."""
    try:
        return [await _owner(patient, one) for one in tokens(patient.settings)]
    except BadSettings as problem:
        return [failed(TOKEN, str(problem), NEW_TOKEN)]


async def _owner(patient: Patient, one: str) -> Finding:
    try:
        me = await _call(patient, one, "getMe")
    except Unheard as silence:
        return failed(TOKEN, f"Telegram cannot be reached: {silence}", "open the way to TELEGRAM_BASE_URL")
    except _Refused as refusal:
        if refusal.status in UNAUTHORIZED:
            return failed(TOKEN, f"Telegram does not accept the token of {number(one)}", NEW_TOKEN)
        return failed(TOKEN, str(refusal), "look at TELEGRAM_BASE_URL, and try again later")
    return ok(TOKEN, f"it is @{me.get('username')}, number {me.get('id')}")


async def webhook(patient: Patient) -> list[Finding]:
    """Whether updates of each bot come to this shop, and whether the last of them did."""
    try:
        return [await _way(patient, one) for one in tokens(patient.settings)]
    except (BadSettings, Unheard, _Refused):
        return [skipped(WEBHOOK, "Telegram cannot be asked")]


async def _way(patient: Patient, one: str) -> Finding:
    info = await _call(patient, one, "getWebhookInfo")
    if patient.settings.bot_mode == "polling":
        return _polled(info)
    return judge_webhook(info, f"{patient.settings.webhook_base_url}/telegram/{number(one)}", datetime.now(UTC))


def judge_webhook(info: dict[str, Any], wanted: str, now: datetime) -> Finding:
    """Pure: what getWebhookInfo says against what it should say. Telegram never tells the secret."""
    again = "start `kiosk run`: it sets address, secret and kinds of updates"
    if not info.get("url"):
        return failed(WEBHOOK, "none is set, so no update comes", again)
    if info["url"] != wanted:
        return failed(
            WEBHOOK, f"updates go to {info['url']} instead of {wanted}", f"{again}; see who else has the token"
        )
    allowed = info.get("allowed_updates") or ALLOWED_UPDATES  # nothing named is everything that we take
    if missing := sorted(set(ALLOWED_UPDATES).difference(allowed)):
        return failed(WEBHOOK, f"Telegram does not send {', '.join(missing)}", again)
    error_at = datetime.fromtimestamp(int(info.get("last_error_date") or 0), UTC)
    if now - error_at < RECENTLY:
        said = f"at {error_at:%H:%M:%S} UTC Telegram could not hand an update over: {info.get('last_error_message')}"
        return warning(WEBHOOK, said, "look at the check of the public address, and at the log of that minute")
    return _waiting(info, f"updates come to {wanted}; only Telegram knows which secret it sends")


def _polled(info: dict[str, Any]) -> Finding:
    if info.get("url"):
        said = f"BOT_MODE is polling, but updates go to {info['url']}"
        return failed(WEBHOOK, said, "start `kiosk run`, which removes it, or set BOT_MODE=webhook")
    return _waiting(info, "none is set, as polling needs it")


def _waiting(info: dict[str, Any], good: str) -> Finding:
    waiting = int(info.get("pending_update_count") or 0)
    if waiting > MANY_WAITING:
        return warning(WEBHOOK, f"{waiting} updates wait at Telegram", "see whether `kiosk run` runs and is ready")
    return ok(WEBHOOK, f"{good}; waiting: {waiting}")


async def _call(patient: Patient, one: str, method: str) -> dict[str, Any]:
    """A result of the Bot API. Errors: Unheard, _Refused."""
    address = f"{patient.settings.telegram_base_url}/bot{one}/{method}"
    answer = await ask(patient.session, "POST", address)
    match answer.body:
        case {"ok": True, "result": dict(result)}:
            return result
        case {"ok": False, "description": str(description)}:
            raise _Refused(answer.status, f"Telegram says {answer.status}: {description}")
        case _:
            raise _Refused(0, f"HTTP {answer.status} came, but not from a Bot API")
