"""The catalog as a page of documentation; pure."""

from collections.abc import Iterator
from typing import Final

from kiosk.catalog.model import Model
from kiosk.catalog.report import credits_from, number, sold
from kiosk.catalog.shelf import Shelf
from kiosk.catalog.vocabulary import ModelType

HEADING: Final = """# Models

Written by `make models` from `kiosk/catalog/models.yaml`; a test compares the two. Prices are the least that the
provider takes, in its credits of 0.005 USD, where the inputs tell them. `kiosk models show MODEL` tells all of one.
"""


def page(shelf: Shelf) -> str:
    """Markdown, one table for each type."""
    return "\n".join((HEADING, *_summary(shelf), *(line for kind in ModelType for line in _table(shelf, kind))))


def _summary(shelf: Shelf) -> Iterator[str]:
    only = sum(shelf.why_not_sold(model) is not None for model in shelf.follow_ups())
    yield (
        f"{len(shelf.models)} models, {len(shelf.sellable())} of them on the shelf and {only} more only as follow-ups: "
        "under a result that they go on from.\n"
    )


def _table(shelf: Shelf, kind: ModelType) -> Iterator[str]:
    models = [model for model in shelf.models if model.type is kind]
    if not models:
        return
    yield f"## {kind.replace('_', ' ').capitalize()}\n"
    yield "| model | name | credits from | asks for | sold |"
    yield "|---|---|---|---|---|"
    yield from (_row(shelf, model) for model in models)
    yield ""


def _row(shelf: Shelf, model: Model) -> str:
    lowest = credits_from(model)
    required = ", ".join(item.name for item in model.inputs if item.required and not item.task_ref) or "nothing"
    price = "—" if lowest is None else number(lowest)
    cells = (f"`{model.id}`", model.name, price, required, sold(shelf, model))
    return "| " + " | ".join(cells) + " |"
