"""How long an order may take, and how often one that was given up is looked at."""

from dataclasses import replace

import pytest

from kiosk.assortment import patience
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.generations.deadlines import LATE_LOOKS_S, Patience
from kiosk.settings import load_settings

MODEL = default_shelf().get("z-image")
PATIENCE = Patience(60.0, {Output.IMAGE: 1.0, Output.VIDEO: 2.0, Output.AUDIO: 3.0, Output.TEXT: 4.0})


@pytest.mark.parametrize("output", Output)
def test_each_kind_of_output_has_its_own_time(output: Output) -> None:
    """A clip may take longer than a picture; what a model makes decides."""
    assert PATIENCE.at_provider_s(replace(MODEL, output=output)) == PATIENCE.run_s[output]


def test_catalog_may_say_otherwise_of_a_model() -> None:
    """Its own deadline wins over that of its kind."""
    assert PATIENCE.at_provider_s(replace(MODEL, deadline_s=777)) == 777.0


def test_every_model_has_more_time_than_it_usually_takes() -> None:
    """With the defaults, no model that was ever measured is given up before twice its longest time."""
    given = patience(load_settings({}, env_file=None))
    models = default_shelf().models
    assert {model.output for model in models} == given.run_s.keys()
    assert [m.id for m in models if m.usual_seconds and given.at_provider_s(m) < 2 * m.usual_seconds] == []


def test_each_setting_is_for_its_kind() -> None:
    """None is taken for another."""
    names = ("line", "image", "video", "audio", "text")
    settings = load_settings({f"{name}_deadline_s": number for number, name in enumerate(names, 1)}, env_file=None)
    assert patience(settings) == Patience(
        1.0, {Output.IMAGE: 2.0, Output.VIDEO: 3.0, Output.AUDIO: 4.0, Output.TEXT: 5.0}
    )


def test_late_looks_become_rarer_and_end_before_the_provider_forgets() -> None:
    """It keeps what it made for two weeks."""
    assert sorted(set(LATE_LOOKS_S)) == list(LATE_LOOKS_S)
    assert sum(LATE_LOOKS_S) < 14 * 86_400
