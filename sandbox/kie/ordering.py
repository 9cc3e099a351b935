"""From a request to an order: everything that the provider's stand-in checks before it creates a task."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.kie.door import CAP_TEXT, NO_CREDIT_TEXT, RATE_TEXT
from sandbox.kie.inspection import inspect
from sandbox.kie.outputs import count
from sandbox.kie.prices import Known, price
from sandbox.kie.provider import Provider
from sandbox.kie.records import Task
from sandbox.kie.rules import MODEL_NOT_SUPPORTED, Field, ModelRule, Refusal, check, rules, with_defaults
from sandbox.kie.tasks import Order

NO_RECORD = Refusal(422, "Record does not exist")
NOT_A_SUCCESS = Refusal(422, "record status is not success.")


async def ordered(provider: Provider, asked: Mapping[str, Any], key: str) -> Order | Refusal:
    """In the provider's order: model, fields, callback address, earlier task, credits, cap, rate."""
    rule = rules().get(str(asked.get("model")))
    if rule is None:
        return Refusal(422, MODEL_NOT_SUPPORTED)
    given, url = asked.get("input"), asked.get("callBackUrl") or None
    refusal = check(rule, given, provider.options.missing_field_code) or _callback_refusal(rule, url)
    if refusal:
        return refusal
    given = given if isinstance(given, dict) else {}
    earlier = _earlier_input(provider, rule, given)
    if isinstance(earlier, Refusal):
        return earlier
    found = await inspect(rule, given, provider.files, provider.desk.result_url, provider.clock.now_ms())
    credits_asked = price(rule, given, Known(found.seconds, earlier, count(rule, given)))
    refusal = _money_refusal(provider, key, credits_asked)
    if refusal is None and not provider.creates.accepts(provider.now_s()):
        refusal = Refusal(429, RATE_TEXT)
    return refusal or Order(rule, given, key, url, credits_asked, found.unfit)


def _earlier_input(provider: Provider, rule: ModelRule, given: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """The input of the earlier tasks that are referred to, with defaults."""
    found: dict[str, Any] = {}
    if rule.accepts_anything:
        return found
    for field in rule.inputs:
        value = given.get(field.name)
        if not field.task_ref or value in (None, ""):
            continue
        task = _earlier_task(provider, field, str(value))
        if task is None:
            return NO_RECORD
        if task.ended_ms is None or task.state != "success":
            return NOT_A_SUCCESS
        found |= with_defaults(rules()[task.model], task.input)
    return found


def _earlier_task(provider: Provider, field: Field, value: str) -> Task | None:
    tasks = provider.desk.tasks
    named = [task for task in tasks.values() if value in task.result_json] if field.ref_of == "audio" else []
    task = next(iter(named), None) if field.ref_of == "audio" else tasks.get(value)
    fitting = task is not None and any(fnmatchcase(task.model, pattern) for pattern in field.task_ref)
    return task if fitting else None


def _money_refusal(provider: Provider, key: str, credits_asked: float) -> Refusal | None:
    if not provider.account.affords(credits_asked):
        return Refusal(provider.options.no_credit_code, NO_CREDIT_TEXT)
    if provider.account.is_capped(key, credits_asked):
        return Refusal(433, CAP_TEXT)
    return None


def _callback_refusal(rule: ModelRule, url: Any) -> Refusal | None:
    if url is None:
        return Refusal(422, "Please enter callBackUrl.") if rule.callback_required else None
    valid = isinstance(url, str) and re.fullmatch(r"https?://[^\s/]+.*", url) is not None
    return None if valid else Refusal(422, "callBackUrl is not a valid address")
