"""A broken catalog never loads, and every flaw in it is told at once with the model and the key."""

from importlib.resources import files

import pytest

from kiosk.catalog.shelf import CatalogError, load_shelf

PAINTER = """
models:
  - id: painter
    name: Painter
    vendor: Nobody
    type: text_to_image
    output: image
    inputs:
      prompt: {type: string, required: true, max_length: 100}
      size: {type: enum, values: ['1:1', '4:3'], default: '1:1'}
      count: {type: integer, min: 1, max: 4, default: 1}
      loud: {type: boolean, default: false}
      pictures: {type: array, items: url, media: image, max_items: 3}
      lines: {type: array, items: object, fields: {text: {type: string, required: true}}}
    rules:
      - {any_of: [prompt, pictures]}
      - {forbid: {size: '4:3', count: [3, 4]}}
    credits: 2
    pricing:
      - {when: {size: '1:1'}, credits: 2, per: image}
      - {when: {size: '4:3'}, credits: 3, per: image}
    price_quantity: count
    surcharges:
      - {credits: 0.5, of: [pictures], after: 1}
    source: https://provider.example/painter
"""
MODELS = files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8")


def flaws_of(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load_shelf(text)
    return [str(flaw) for flaw in caught.value.flaws]


def test_flaws_none_in_a_sound_entry() -> None:
    """The entry that the other tests break is right as it stands."""
    assert [model.id for model in load_shelf(PAINTER).models] == ["painter"]


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ("    name: Painter\n", "", "painter.name: is missing"),
        ("name: Painter", "name: 5", "painter.name: must be a text, not 5"),
        ("    source:", "    sauce:", "painter.sauce: unknown key"),
        ("text_to_image", "text_to_smell", "painter.type: 'text_to_smell' is not one of text_to_image, "),
        ("output: image", "output: smell", "painter.output: 'smell' is not one of image, video, audio, text"),
        (
            "    credits: 2",
            "    sell: yes please\n    credits: 2",
            "painter.sell: must be true or false, not 'yes please'",
        ),
        ("    credits: 2", "    usual_seconds: 0\n    credits: 2", "painter.usual_seconds: must be a whole number"),
        ("    credits: 2", "    deadline_s: soon\n    credits: 2", "painter.deadline_s: must be a whole number"),
        ("    credits: 2", "    deadline_s: 86401\n    credits: 2", "painter.deadline_s: more than a day"),
        (
            "    credits: 2",
            "    usual_seconds: 60\n    deadline_s: 60\n    credits: 2",
            "painter.deadline_s: must be more than the usual 60 s",
        ),
        ("id: painter", "id: 'no spaces'", "models[0].id: 'no spaces' is no id of a model"),
        ("id: painter", "id: '1:1'", "models[0].id: '1:1' is no id of a model"),
    ],
)
def test_flaws_of_an_entry_name_the_key(old: str, new: str, flaw: str) -> None:
    """What is wrong with an entry's own keys is told with the model and the key."""
    assert any(one.startswith(flaw) for one in flaws_of(PAINTER.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ("default: '1:1'", "default: '5:4'", "painter.inputs.size: default '5:4' is not one of '1:1', '4:3'"),
        ("default: '1:1'", "default: 1", "painter.inputs.size: default 1 has the wrong type"),
        ("default: 1}", "default: 9}", "painter.inputs.count: default 9 is not within 1..4"),
        ("default: 1}", "suggested: 1.5}", "painter.inputs.count: suggested 1.5 has the wrong type"),
        ("default: 1}", "default: 1, suggested: 2}", "painter.inputs.count.suggested: there is a default already"),
        ("default: 1}", "fill: false}", "painter.inputs.count.fill: only an optional input with a default"),
        ("default: false", "default: 'no'", "painter.inputs.loud: default 'no' has the wrong type"),
        ("type: boolean", "type: bool", "painter.inputs.loud.type: 'bool' is not one of string, enum"),
        ("type: boolean", "typ: boolean", "painter.inputs.loud.type: is missing"),
        ("loud: {", "loud: {max_length: 5, ", "painter.inputs.loud.max_length: unknown key"),
        ("max_length: 100", "max_length: ten", "painter.inputs.prompt.max_length: must be a whole number"),
        (
            "max_length: 100",
            "min_length: 9, max_length: 8",
            "painter.inputs.prompt.min_length: 9 is more than max_length 8",
        ),
        ("max_length: 100", "pattern: '('", "painter.inputs.prompt.pattern: is no regular expression"),
        ("['1:1', '4:3']", "[1:1, 4:3]", "painter.inputs.size.values: 61 is not of type string"),
        ("['1:1', '4:3']", "['1:1', '1:1']", "painter.inputs.size.values: has the same item twice"),
        ("['1:1', '4:3']", "[]", "painter.inputs.size.values: there is nothing to choose from"),
        ("min: 1, max: 4", "min: 5, max: 4", "painter.inputs.count.min: 5 is more than max 4"),
        ("min: 1, max: 4", "min: 0.5, max: 4", "painter.inputs.count: an integer has whole limits"),
        ("media: image, ", "", "painter.inputs.pictures.media: is missing"),
        ("media: image", "media: smell", "painter.inputs.pictures.media: 'smell' is not one of"),
        (
            "media: image",
            "media: image, default: x",
            "painter.inputs.pictures.default: files, lists and objects have no",
        ),
        ("items: url", "items: array", "painter.inputs.pictures.items: say what the inner lists hold"),
        ("max_items: 3", "min_items: 4, max_items: 3", "painter.inputs.pictures.min_items: 4 is more than max_items 3"),
        ("{text: {type: string", "{text: {type: strin", "painter.inputs.lines.fields.text.type: 'strin' is not one of"),
        ("      loud:", "      callBackUrl:", "painter.inputs.callBackUrl: 'callBackUrl' is ours to send"),
        ("      loud:", "      on:", "painter.inputs: the key True is no text: a word like on, off"),
        ("loud: {", "loud: {api_name: count, ", "painter.inputs: two inputs are sent as 'count'"),
        ("loud: {", "loud: {task_ref: {id: task}, ", "painter.inputs.loud.task_ref.models: is missing"),
        (
            "loud: {",
            "loud: {task_ref: {models: [nobody]}, ",
            "painter.inputs.loud.task_ref: there is no model 'nobody'",
        ),
    ],
)
def test_flaws_of_an_input_name_the_input(old: str, new: str, flaw: str) -> None:
    """A wrong input is told with the model and the input, not only the first one that is found."""
    assert any(one.startswith(flaw) for one in flaws_of(PAINTER.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ("any_of: [prompt,", "any_of: [promt,", "painter.rules[0].any_of: there is no input 'promt'"),
        ("any_of:", "some_of:", "painter.rules[0]: must be one of any_of"),
        ("any_of: [prompt, pictures]", "exclusive: [[prompt]]", "painter.rules[0].exclusive: needs two groups"),
        ("any_of: [prompt, pictures]", "only_when: {input: loud}", "painter.rules[0].only_when: needs `input` and"),
        (
            "any_of: [prompt, pictures]",
            "total_chars: {prompt.text: 9}",
            "painter.rules[0].total_chars: 'prompt.text' is",
        ),
        ("forbid: {size: '4:3'", "forbid: {size: '4:4'", "painter.rules[1].forbid: 'size' is never '4:4'"),
        ("forbid: {size: '4:3'", "forbid: {prompt: cat", "painter.rules[1].forbid: 'prompt' is never 'cat'"),
        ("credits: 2\n", "credits: -2\n", "painter.credits: must be a number of at least 0, not -2"),
        ("credits: 2\n", "credits: .inf\n", "painter.credits: must be a number of at least 0, not inf"),
        ("    credits: 2\n", "", "painter.credits: is missing"),
        ("credits: 3, per", "credits: -3, per", "painter.pricing[1].credits: must be a number of at least 0, not -3"),
        ("credits: 3, per", "per", "painter.pricing[1].credits: is missing"),
        ("when: {size: '4:3'}", "when: {sise: '4:3'}", "painter.pricing[1].when: there is no input 'sise'"),
        ("when: {size: '4:3'}", "when: {size: '9:9'}", "painter.pricing[1].when: 'size' is never '9:9'"),
        ("when: {size: '4:3'}", "when: {loud: true}", "painter.pricing: rows 0 and 1 can both apply"),
        (", default: '1:1'", "", "painter.pricing[0].when: 'size' may be left out"),
        ("per: image}", "per: picture}", "painter.pricing[0].per: 'picture' is not one of task, image"),
        ("price_quantity: count", "price_quantity: amount", "painter.price_quantity: there is no input 'amount'"),
        (
            "price_quantity: count",
            "price_quantity: size",
            "painter.price_quantity: 'size' has values that are no numbers",
        ),
        ("price_quantity: count", "price_quantity: loud", "painter.price_quantity: 'loud' cannot be counted"),
        ("credits: 2, per: image", "credits: 2", "painter.price_quantity: a price per task is multiplied by nothing"),
        ("of: [pictures]", "of: [loud]", "painter.surcharges[0].of: 'loud' is no file and no list"),
        ("after: 1", "before: 1", "painter.surcharges[0].before: unknown key"),
    ],
)
def test_flaws_of_rules_and_prices_name_the_row(old: str, new: str, flaw: str) -> None:
    """A rule or price that speaks of what is not there is told with its place in the list."""
    assert any(one.startswith(flaw) for one in flaws_of(PAINTER.replace(old, new, 1)))


def test_flaws_missing_quantity() -> None:
    """A price per second needs to know of how many seconds."""
    text = PAINTER.replace("per: image", "per: second").replace("    price_quantity: count\n", "")
    assert flaws_of(text) == ["painter.price_quantity: is missing: how many of 'second'"]


def test_flaws_are_told_all_at_once() -> None:
    """Several mistakes in several entries are one error with one line for each, and nothing else."""
    second = PAINTER.partition("models:\n")[2]
    second = second.replace("max_length: 100", "max_length: 0").replace("default: 1}", "default: 9}")
    first = PAINTER.replace("    name: Painter\n", "").replace("credits: 3", "credits: no")
    text = first.replace("after: 1", "before: 1") + second
    assert flaws_of(text) == [
        "painter.name: is missing",
        "painter.pricing[1].credits: must be a number of at least 0, not False",
        "painter.surcharges[0].before: unknown key",
        "painter.inputs.prompt.max_length: must be a whole number of at least 1, not 0",
        "painter.inputs.count: default 9 is not within 1..4",
        "painter: this id is used twice",
    ]


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("models: [\n", "models, line 2: "),
        ("models:\n  - id: a\n    id: b\n", "models, line 2: 'id' is written twice"),
        ("models: {}", "models: must be `models:` with a list"),
        ("models: []", "models: must be `models:` with a list"),
        ("", "models: must be `models:` with a list"),
        ("- 1", "models: must be `models:` with a list"),
        ("models: [7]", "models[0]: must be a mapping, not 7"),
        ("models: [!!python/object:os.system {}]", "models, line 1: could not determine a constructor"),
        ("models: [2026-99-99]", "models: not YAML: month must be in 1..12"),
        ("meta: 1" + PAINTER, "meta: unknown key"),
    ],
)
def test_flaws_of_the_file(text: str, flaw: str) -> None:
    """A file that is no catalog at all is a flaw like any other, never a traceback."""
    assert any(one.startswith(flaw) for one in flaws_of(text))


def test_flaws_in_the_packaged_catalog_are_found() -> None:
    """The real file, with one value changed, is refused for exactly that value."""
    z_image = MODELS.index("- id: z-image\n")
    broken = MODELS[:z_image] + MODELS[z_image:].replace("default: '1:1'", "default: '5:4'", 1)
    expected = "z-image.inputs.aspect_ratio: default '5:4' is not one of '1:1', '4:3', '3:4', '16:9', '9:16'"
    assert flaws_of(broken) == [expected]
