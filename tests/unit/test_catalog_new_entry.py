"""A model is added by writing an entry, and by nothing else."""

from decimal import Decimal
from importlib.resources import files

from kiosk.catalog.form import Accepted, Valid, check_answer, next_question, payload, validate
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.shelf import load_shelf
from kiosk.catalog.vocabulary import Output

MODELS = files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8")
INVENTED = """
  - id: tomorrow/dream-2
    name: Dream 2
    vendor: Tomorrow
    type: text_to_video
    output: video
    sell: true
    inputs:
      prompt: {type: string, required: true, max_length: 300}
      seconds: {type: enum, value_type: integer, required: true, values: [4, 8], api_name: durationSeconds}
      frames: {type: array, items: url, media: image, max_items: 4}
      sound: {type: boolean, suggested: false}
    rules:
      - {forbid: {sound: true, frames: present}}
    credits: 10
    pricing:
      - {when: {sound: false}, credits: 2.5, per: second}
      - {when: {sound: true}, credits: 4, per: second}
    price_quantity: seconds
    surcharges:
      - {credits: 0.5, of: [frames], after: 1}
    source: https://provider.example/dream-2
"""
WRITTEN = {"prompt": "a river", "seconds": "8"}


def test_new_entry_is_sold_beside_the_others() -> None:
    """One entry more in the file is one model more on the shelf."""
    shelf = load_shelf(MODELS + INVENTED)
    assert shelf.sellable() == (*load_shelf(MODELS).sellable(), shelf.get("tomorrow/dream-2"))
    assert len(shelf.models) == 189
    assert shelf.get("tomorrow/dream-2").output is Output.VIDEO


def test_new_entry_goes_from_questions_to_price() -> None:
    """Its questions are asked, its answers are sent under the provider's names and its price is worked out."""
    model = load_shelf("models:" + INVENTED).get("tomorrow/dream-2")
    inputs = {}
    while asked := next_question(model, inputs):
        answered = check_answer(model, asked.field, WRITTEN[asked.field])
        assert isinstance(answered, Accepted)
        inputs[asked.field] = answered.value
    inputs["frames"] = ["https://files.example/1", "https://files.example/2"]
    checked = validate(model, inputs)
    assert isinstance(checked, Valid)
    assert payload(model, checked.inputs) == {
        "prompt": "a river",
        "durationSeconds": 8,
        "frames": ["https://files.example/1", "https://files.example/2"],
        "sound": False,
    }
    rates = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
    assert quote(model, checked.inputs, rates) == Quote(2050, Decimal("20.5"), 1025)
