"""What buttons carry: always small enough, always read back, and nothing else is taken for it."""

from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.bot import buttons
from kiosk.bot.buttons import LIMIT_BYTES, Press, choice_mark, model_code, pack, unpack
from kiosk.catalog.form import question
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import ModelType

MODELS = default_shelf().models
NUMBERS = st.integers(0, 2**53)
COUNTS = st.integers(0, 999)
PLACES = st.integers(0, 10**9)  # of inputs, and of parts of objects in lists

PRESSES: st.SearchStrategy[Press] = st.one_of(
    st.just(buttons.Home()),
    st.just(buttons.Leave()),
    st.just(buttons.Balance()),
    st.sampled_from([model.id for model in MODELS]).map(lambda model_id: buttons.Choose(model_code(model_id))),
    st.builds(buttons.Answer, NUMBERS, PLACES, COUNTS, st.integers(0, 16**5)),
    st.builds(buttons.Ask, NUMBERS, PLACES),
    st.builds(buttons.Aisle, st.sampled_from(list(ModelType)).map(buttons.model_code), COUNTS),
    st.builds(buttons.Turn, NUMBERS, COUNTS, COUNTS),
    st.builds(buttons.Tune, NUMBERS),
    st.builds(buttons.Reset, NUMBERS, PLACES),
    st.builds(buttons.Drop, NUMBERS, COUNTS, COUNTS, COUNTS),
    st.builds(buttons.Edit, NUMBERS),
    st.builds(buttons.Show, NUMBERS),
    st.builds(buttons.Create, NUMBERS, NUMBERS),
    st.builds(buttons.Cancel, NUMBERS),
    st.builds(buttons.Again, NUMBERS),
    st.builds(buttons.Original, NUMBERS),
    st.builds(buttons.Onward, NUMBERS),
    st.builds(buttons.Pick, NUMBERS, NUMBERS),
    st.builds(buttons.FollowAisle, st.sampled_from(list(ModelType)).map(buttons.model_code), COUNTS, NUMBERS, NUMBERS),
    st.builds(
        buttons.Follow,
        st.sampled_from([model.id for model in MODELS]).map(model_code),
        NUMBERS,
        NUMBERS,
    ),
)


@given(PRESSES)
@example(buttons.Create(2**53, 2**53))
@example(buttons.Answer(2**53, 10**9, 999, 16**5))
def test_press_is_read_back(press: Press) -> None:
    """Whatever is packed fits a button and unpacks to the same press."""
    assert len(pack(press).encode()) <= LIMIT_BYTES
    assert unpack(pack(press)) == press


def test_every_press_is_tried_above() -> None:
    """A press that is added to the union without a word, or without its place in these tests, is noticed."""
    plain = {"Home", "Leave", "Balance", "Aisle", "Choose", "Create", "Cancel", "Again", "Original"}
    on_draft = {"Answer", "Ask", "Turn", "Tune", "Reset", "Drop", "Edit", "Show"}
    on_result = {"Onward", "Pick", "FollowAisle", "Follow"}
    assert plain | on_draft | on_result == {press.__name__ for press in Press.__args__}
    assert set(Press.__args__) == set(buttons._WORD_OF)
    assert len(buttons._PRESS_OF) == len(buttons._WORD_OF)


@given(
    st.text() | st.lists(st.sampled_from(["a", "go", "s", "m", "7", "-1", "٣", "²", "", " 1", "9" * 30])).map(":".join)
)
def test_foreign_data_is_no_press_or_a_sound_one(data: str) -> None:
    """Any text gives a press or None, never an error; a press means the same however its numbers are written."""
    press = unpack(data)
    if press is not None:
        assert unpack(pack(press)) == press


@given(st.integers(2**63, 10**40))
def test_number_beyond_the_database_is_no_press(number: int) -> None:
    """No column holds such a number, so no button of ours says it."""
    assert unpack(f"s:{number}") is None
    assert unpack(f"go:7:{number}") is None


def test_choices_of_a_question_have_different_marks() -> None:
    """A choice that took another's place is told from it by its mark."""
    asked = [one for model in MODELS for item in model.inputs if (one := question(model, item.name))]
    assert max(len(one.choices) for one in asked) > buttons.LIMIT_BYTES
    for one in asked:
        assert len({choice_mark(one.field, choice) for choice in one.choices}) == len(one.choices)


def test_codes_of_types_are_all_different() -> None:
    """A door leads to one kind of models only."""
    assert len(ModelType) == len({model_code(kind) for kind in ModelType})


def test_model_codes_are_all_different() -> None:
    """A button leads to one model only."""
    assert len(MODELS) == len({model_code(model.id) for model in MODELS})


def test_model_code_stays_what_it_was() -> None:
    """A keyboard in a chat from long ago still leads to its model."""
    assert model_code("z-image") == "7ac6429f9f"
