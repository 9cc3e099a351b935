"""Which models `kiosk sanity` takes, and what it may spend."""

from decimal import Decimal

import pytest

from kiosk.catalog.report import credits_from
from kiosk.catalog.shelf import default_shelf
from kiosk.commands.rehearsal import DONE, FAILED, REFUSED, Plan, Purse, Trial, chosen, report
from kiosk.generations.inspection import NotOrdered

SHELF = default_shelf()


def a_plan(*models: str, every: bool = False) -> Plan:
    return Plan(models, every, Decimal(10), 4, None, True)


def test_one_of_each_type_by_itself() -> None:
    """The cheapest that is on sale, so that everything is tried for little."""
    taken = chosen(SHELF, a_plan())
    assert [model.type for model in taken] == [kind for kind, _ in SHELF.aisles()]
    for model, (_, models) in zip(taken, SHELF.aisles(), strict=True):
        assert (credits_from(model) or 0) <= min(price for one in models if (price := credits_from(one)) is not None)


def test_named_and_all() -> None:
    """These and no other, each once; or the whole catalog, with what is not sold."""
    assert [model.id for model in chosen(SHELF, a_plan("veo/extend", "z-image", "z-image"))] == [
        "veo/extend",
        "z-image",
    ]
    assert chosen(SHELF, a_plan(every=True)) == SHELF.models


def test_every_unknown_name_is_told() -> None:
    """At once, with what could be meant."""
    with pytest.raises(NotOrdered) as refused:
        chosen(SHELF, a_plan("z-imag", "z-image", "nothing like it"))
    assert len(refused.value.reasons) == 2


def test_purse_counts_quotes_first_and_then_what_was_taken() -> None:
    """What is under way counts as quoted, what has ended as taken, and what is not known stays as quoted."""
    purse = Purse(Decimal(10))
    assert (purse.set_aside(Decimal(6)), purse.set_aside(Decimal(5)), purse.set_aside(Decimal(4))) == (
        True,
        False,
        True,
    )
    purse.settle(Decimal(6), Decimal(2))
    assert (purse.spent, purse.set_aside(Decimal(4)), purse.set_aside(Decimal(1))) == (Decimal(6), True, False)
    purse.settle(Decimal(4), None)
    assert purse.spent == Decimal(10)


def test_report_counts_every_model_once() -> None:
    """Done, refused and failed are all there is, and what was not ordered costs nothing."""
    z_image, veo, other = SHELF.get("z-image"), SHELF.get("veo/extend"), SHELF.models[1]
    trials = [
        Trial(z_image, DONE, generation=1, taken=Decimal("0.8")),
        Trial(veo, REFUSED, "it goes on from an earlier task"),
        Trial(other, FAILED, "provider", generation=2),
    ]
    told = report(trials, 1.5)
    assert [told[name] for name in ("models", DONE, REFUSED, FAILED)] == [3, 1, 1, 1]
    assert (told["credits_taken"], told["not_done"]) == (
        "0.8",
        {veo.id: "it goes on from an earlier task", other.id: "provider"},
    )
