"""From a request to an order: everything that the provider's stand-in checks before it creates a task."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.kie.door import CAP_TEXT, NO_CREDIT_TEXT, RATE_TEXT
from sandbox.kie.inspection import inspect
from sandbox.kie.joint import holds
from sandbox.kie.outputs import count
from sandbox.kie.prices import Known, price
from sandbox.kie.provider import Provider
from sandbox.kie.records import Task
from sandbox.kie.rules import MODEL_NOT_SUPPORTED, Field, ModelRule, Refusal, check, rules, with_defaults
from sandbox.kie.tasks import Order

NO_RECORD = Refusal(422, "Record does not exist")
TOO_OLD = Refusal(422, "Temporarily supports records within 14 days.")
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
    """The input of the one earlier task that is referred to, with defaults; nothing when none is."""
    named = [field for field in rule.inputs if field.task_ref and given.get(field.name) not in (None, "")]
    if rule.accepts_anything or not named:
        return {}
    tasks = [_earlier_task(provider, field, str(given[field.name])) for field in named if field.ref_of != "file"]
    task = tasks[0] if tasks and all(one is tasks[0] for one in tasks) else None
    if task is None:
        return NO_RECORD
    if task.ended_ms is None or task.state != "success":
        return NOT_A_SUCCESS
    if provider.clock.now_ms() - task.ended_ms > provider.options.result_retention_s * 1000:
        return TOO_OLD
    meant = with_defaults(rules()[task.model], task.input)
    if any(not holds(field.ref_when or {}, task.input, meant) for field in named):
        return Refusal(422, "the original task does not support this operation")
    numbers = [str(given[field.name]) for field in named if field.ref_of == "file"]
    made = count(rules()[task.model], task.input) if task.script.results is None else task.script.results
    if any(not number.isdecimal() or int(number) >= made for number in numbers):
        return Refusal(422, "index is out of range")
    return meant


def _earlier_task(provider: Provider, field: Field, value: str) -> Task | None:
    tasks = provider.desk.tasks
    if field.ref_of == "audio":
        task = next((task for task in tasks.values() if f'"id":"{value}"' in task.result_json), None)
    else:
        task = tasks.get(value)
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
