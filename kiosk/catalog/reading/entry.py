"""Reads one entry of the catalog."""

import re
from typing import Final

from kiosk.catalog.model import Model
from kiosk.catalog.reading.inputs import read_inputs
from kiosk.catalog.reading.rules import read_rules
from kiosk.catalog.reading.sheet import Flaw, Sheet, quoted
from kiosk.catalog.reading.tariff import read_tariff
from kiosk.catalog.vocabulary import Confidence, ModelType, Output, Status

LONGEST_USUAL_S: Final = 86_400
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
MAX_ID_CHARS: Final = 100


def read_entry(value: object, where: str, flaws: list[Flaw]) -> Model | None:
    """None when anything is wrong with it; what, is in `flaws`."""
    sheet = Sheet(value, _where(value, where), flaws)
    model_id = sheet.text("id")
    if model_id and not _is_id(model_id):
        sheet.note("id", f"{quoted(model_id)} is no id of a model")
    name, vendor = sheet.text("name"), sheet.text("vendor")
    model_type, output = sheet.member("type", ModelType), sheet.member("output", Output)
    usual_seconds = sheet.whole("usual_seconds", minimum=1)
    if usual_seconds is not None and usual_seconds > LONGEST_USUAL_S:
        sheet.note("usual_seconds", "more than a day")
    deadline_s = _deadline_s(sheet, usual_seconds)
    inputs = read_inputs(sheet)
    rules = read_rules(sheet, inputs)
    tariff = read_tariff(sheet, inputs)
    modes, notes = sheet.texts("modes"), sheet.texts("notes")
    sell, callback_required = sheet.flag("sell"), sheet.flag("callback_required")
    status = sheet.member("status", Status, Status.ACTIVE)
    confidence = sheet.member("confidence", Confidence, Confidence.HIGH)
    source = sheet.text("source")
    sheet.finish()
    if not (sheet.is_sound and model_type and output and status and confidence):
        return None
    return Model(
        id=model_id,
        name=name,
        vendor=vendor,
        type=model_type,
        modes=modes,
        output=output,
        status=status,
        sell=sell,
        switched_off=False,
        usual_seconds=usual_seconds,
        deadline_s=deadline_s,
        callback_required=callback_required,
        inputs=tuple(item for item in inputs.values() if item),
        rules=rules,
        tariff=tariff,
        notes=notes,
        source=source,
        confidence=confidence,
    )


def _deadline_s(sheet: Sheet, usual_seconds: int | None) -> int | None:
    deadline_s = sheet.whole("deadline_s", minimum=1)
    if deadline_s is None:
        return None
    if deadline_s > LONGEST_USUAL_S:
        sheet.note("deadline_s", "more than a day")
    if usual_seconds is not None and deadline_s <= usual_seconds:
        sheet.note("deadline_s", f"must be more than the usual {usual_seconds} s")
    return deadline_s


def _where(value: object, where: str) -> str:
    model_id = value.get("id") if isinstance(value, dict) else None
    return model_id if isinstance(model_id, str) and _is_id(model_id) else where


def _is_id(text: str) -> bool:
    return len(text) <= MAX_ID_CHARS and bool(_ID.fullmatch(text))
