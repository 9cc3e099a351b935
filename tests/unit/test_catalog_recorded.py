"""What the provider really accepted, the catalog accepts too and sends the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.catalog.form import Invalid, Valid, payload, validate
from kiosk.catalog.shelf import default_shelf

SHELF = default_shelf()
DATA = Path(__file__).parents[1] / "data" / "kie" / "tasks.json"
REQUESTS: list[dict[str, Any]] = [
    json.loads(task["create_request"]) for task in json.loads(DATA.read_text(encoding="utf-8"))
]
# The recordings are of April 2026; these pages have said something else since August.
OTHERWISE_SINCE = {
    "gpt-image-2-image-to-image": "nsfw_checker",  # no longer among the inputs
    "grok-imagine/text-to-video": "duration",  # a number on the page; the recorded text came back as one
    "qwen2/image-edit": "image_url",  # one address, no longer a list
}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request_: request_["model"])
def test_recorded_request_is_valid_and_sent_unchanged(request_: dict[str, Any]) -> None:
    """A recorded request passes, and each of its values arrives as it was recorded; only defaults are added."""
    model, inputs = SHELF.get(request_["model"]), request_["input"]
    checked = validate(model, inputs)
    if model.id in OTHERWISE_SINCE:
        assert isinstance(checked, Invalid)
        assert [problem.field for problem in checked.problems] == [OTHERWISE_SINCE[model.id]]
        return
    assert isinstance(checked, Valid)
    sent = payload(model, checked.inputs)
    assert {name: sent.get(name) for name in inputs} == inputs
