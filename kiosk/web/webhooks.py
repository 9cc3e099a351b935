"""Where Telegram and the provider knock: authenticated, bounded, and answered only when the work is done."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Header, HTTPException, Request, status

from kiosk.generations.callback import Taken
from kiosk.ids import same_secret
from kiosk.kie.callback import Callback, read_callback, signature_valid
from kiosk.kie.errors import MalformedCallback
from kiosk.log import correlated
from kiosk.metrics import CALLBACKS
from kiosk.web.bodies import bounded_body
from kiosk.web.front import Front, Running

log = structlog.get_logger()

router = APIRouter()

LONGEST_ID: Final = 18  # digits; a longer number fits no bigint
ACCEPTED: Final = {"code": 200, "msg": "success"}  # what the provider's documentation shows as the expected answer
# What callers may rely on; more is understood than this, since the provider's families differ (kiosk.kie.callback).
TASK: Final = {
    "type": "object",
    "properties": {"taskId": {"type": "string", "maxLength": 200, "pattern": "[0-9A-Za-z]"}},
    "required": ["taskId"],
}
CALLBACK: Final = {"type": "object", "properties": {"data": TASK}, "required": ["data"]}
UPDATE: Final = {"type": "object", "properties": {"update_id": {"type": "integer"}}, "required": ["update_id"]}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The body is not what this address takes."},
    401: {"description": "The secret is missing or wrong."},
    413: {"description": "The body is over 1 MiB."},
    503: {"description": "Not now; Retry-After says when."},
}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """How OpenAPI describes a body that is read by hand."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class NotRunning(Exception):  # noqa: N818 - it states a fact
    """The shop is still starting, or closing."""


async def running(request: Request) -> AsyncIterator[Running]:
    """A shop that does not close before this request is dealt with. Errors: NotRunning."""
    front: Front = request.app.state.front
    if front.running is None:
        raise NotRunning
    with front.serving(front.running) as shop:
        yield shop


Shop = Annotated[Running, Depends(running)]
Body = Annotated[bytes, Depends(bounded_body)]


@router.post("/telegram/{bot}", responses=REFUSALS, openapi_extra=json_body(UPDATE))
async def telegram(
    bot: str,
    shop: Shop,
    body: Body,
    secret: Annotated[str, Header(alias="X-Telegram-Bot-Api-Secret-Token")] = "",
) -> dict[str, bool]:
    """One update; 200 only after it was dealt with, so that Telegram sends a failed one again."""
    intake = shop.intakes.get(number(bot) or 0)
    if intake is None or not same_secret(intake.secret, secret):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong secret")
    if not await intake.take(body):
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "this is no update")
    return {"ok": True}


@router.post("/callbacks/kie/{generation}/{token}", responses=REFUSALS, openapi_extra=json_body(CALLBACK))
async def callback(generation: str, token: str, request: Request, shop: Shop, body: Body) -> dict[str, Any]:
    """A task of this generation has ended, says whoever knows its secret."""
    generation_id = number(generation)
    if generation_id is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong token")
    note = read(body)
    check_signature(request, shop, note)
    with correlated(generation_id=generation_id):
        taken = await shop.callbacks.by_token(generation_id, token, note.task_id)
        CALLBACKS.labels(taken.value).inc()
        if taken is Taken.FORGED:
            log.warning("callback.forged", generation_id=generation_id)
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong token")
    return ACCEPTED


@router.post("/callbacks/kie", responses=REFUSALS, openapi_extra=json_body(CALLBACK))
async def callback_without_token(request: Request, shop: Shop, body: Body) -> dict[str, Any]:
    """The same without a secret: it can only make us look at a task that we know, or be kept."""
    note = read(body)
    check_signature(request, shop, note)
    with correlated():
        taken = await shop.callbacks.by_task(note.task_id, body.decode(errors="replace"))
    CALLBACKS.labels(taken.value).inc()
    return ACCEPTED


def number(text: str) -> int | None:
    """A row's number from an address; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else None


def read(body: bytes) -> Callback:
    """Errors: 400 when it is no callback."""
    try:
        return read_callback(body)
    except MalformedCallback:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "this is no callback") from None


def check_signature(request: Request, shop: Running, note: Callback) -> None:
    """Errors: 401 when a key is set and the signature is not made with it."""
    if shop.hmac_key is None:
        return
    valid = signature_valid(
        shop.hmac_key,
        note.task_id,
        request.headers.get("X-Webhook-Timestamp", ""),
        request.headers.get("X-Webhook-Signature", ""),
        datetime.now(UTC),
    )
    if not valid:
        CALLBACKS.labels("bad_signature").inc()
        log.warning("callback.bad_signature", task_id=note.task_id)
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong signature")
