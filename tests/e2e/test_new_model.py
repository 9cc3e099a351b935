"""The recipe for a new model: an entry in the catalog, an entry in the stand-in, and it is sold."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from kiosk.catalog.form import Accepted, Valid, check_answer, next_question, payload, validate
from kiosk.catalog.quote import Quote, quote
from kiosk.catalog.shelf import load_shelf
from kiosk.kie.results import read_result
from sandbox.kie import rules as stand_in
from tests.kie_stand_in import running_kie
from tests.unit.test_catalog_models import PLAIN_RATES
from tests.unit.test_catalog_new_entry import INVENTED, MODELS

RULES = """
tomorrow/dream-2:
  name: Dream 2
  vendor: Tomorrow
  type: text_to_video
  output: video
  credits: 10
  prices:
    - {when: {sound: false}, credits: 2.5, per: second}
    - {when: {sound: true}, credits: 4, per: second}
  quantity: durationSeconds
  surcharge: {credits: 0.5, of: [frames], after: 1}
  usual_s: 60
  inputs:
    prompt: {type: string, required: true, max_length: 300}
    durationSeconds: {type: enum, required: true, value_type: integer, enum: [4, 8]}
    frames: {type: array, items: url, max_items: 4, media: image}
    sound: {type: boolean, default: false}
  joint:
    - {forbid: {sound: true, frames: present}}
"""
WRITTEN = {"prompt": "река", "seconds": "8"}


async def test_new_model_is_asked_for_quoted_and_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first question to the file, at the price that was quoted; what the shop refuses is refused there too."""
    copy = tmp_path / "rules.yaml"
    copy.write_text(stand_in._DATA.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    monkeypatch.setattr(stand_in, "_DATA", copy)
    stand_in.rules.cache_clear()
    try:
        await buy_one()
    finally:
        stand_in.rules.cache_clear()


async def buy_one() -> None:
    model = load_shelf(MODELS + INVENTED).get("tomorrow/dream-2")
    inputs = {}
    while asked := next_question(model, inputs):
        answered = check_answer(model, asked.field, WRITTEN[asked.field])
        assert isinstance(answered, Accepted)
        inputs[asked.field] = answered.value
    inputs["frames"] = ["https://files.example/1", "https://files.example/2"]
    checked = validate(model, inputs)
    assert isinstance(checked, Valid)
    priced = quote(model, checked.inputs, PLAIN_RATES)
    assert isinstance(priced, Quote)
    assert not isinstance(validate(model, inputs | {"sound": True}), Valid)
    sent = payload(model, checked.inputs)
    async with running_kie(newer_keys=True) as kie:
        record = await kie.ended(await kie.created({"model": model.id, "input": sent}))
        assert read_result(record).urls
        assert Decimal(str(record["creditsConsumed"])) == priced.credits
        assert json.loads(json.loads(record["param"])["input"]) == sent
        refused = await kie.create({"model": model.id, "input": sent | {"sound": True}})
        assert refused["code"] == 422
