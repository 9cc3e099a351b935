"""Why a direct order cannot be placed, for whoever wrote it: in English, with the catalog's own names; pure."""

from collections.abc import Iterable
from typing import Final, assert_never

from kiosk.catalog.form import Problem, ProblemKind
from kiosk.catalog.model import Model, Scalar
from kiosk.catalog.quote import Unpriced, UnpricedReason
from kiosk.catalog.report import kind_said
from kiosk.media.fit import Flaw, Misfit

SHOWN_CHARS: Final = 300  # of what is wanted; voices alone are two thousand
_SAID: Final = {
    ProblemKind.EMPTY: "nothing is in it",
    ProblemKind.TOO_SHORT: "{actual} characters are too few",
    ProblemKind.TOO_LONG: "{actual} characters are too many",
    ProblemKind.TOO_FEW: "{actual} are too few",
    ProblemKind.TOO_MANY: "{actual} are too many",
    ProblemKind.OUT_OF_RANGE: "out of range",
    ProblemKind.OFF_STEP: "not a multiple of {step}",
    ProblemKind.NOT_A_CHOICE: "not among the choices",
    ProblemKind.NOT_A_LINK: "neither a file nor an address",
    ProblemKind.BAD_FORM: "not in the form that is wanted",
}


def wrong(model: Model, found: Problem) -> str:
    """What is wrong with an input, and what is expected of it."""
    match found.kind:
        case ProblemKind.UNKNOWN_FIELD:
            return f"there is no input {found.field}; {model.id} has {_listed(item.name for item in model.inputs)}"
        case ProblemKind.NEED_ONE_OF:
            return f"give one of {_listed(found.fields or (found.field,))}"
        case ProblemKind.ONLY_ONE_OF:
            return f"give only one of {_listed(found.fields or (found.field,))}"
        case ProblemKind.NEEDED_HERE:
            return f"{found.field} is needed beside {_listed(found.fields)}"
        case ProblemKind.NOT_TOGETHER:
            return f"{_listed((found.field, *found.fields))} do not go together as they are"
        case ProblemKind.NOT_ALLOWED_HERE:
            return f"{found.field} does not go with {_listed(found.fields)} as it is"
        case ProblemKind.MISSING:
            return f"{found.field} is missing: it must be {_wanted(model, found.field)}"
        case _:
            return f"{found.field or 'the inputs'}: {_alone(found)}; it must be {_wanted(model, found.field)}"


def _alone(found: Problem) -> str:
    said = _SAID.get(found.kind, "of the wrong type")
    return said.format(actual=found.actual, step=f"{found.step or 0:g}")


def _wanted(model: Model, path: str) -> str:
    item = model.find(path.partition("[")[0].partition(".")[0])
    said = kind_said(item.kind) if item else "an object of inputs by name"
    return said if len(said) <= SHOWN_CHARS else f"{said[:SHOWN_CHARS]}…"


def no_price(model: Model, why: Unpriced) -> str:
    """Why these inputs have no price."""
    match why.reason:
        case UnpricedReason.NEEDS_MEDIA_LENGTH:
            return f"the price depends on how long {why.field} plays, and that is not known: give it as a file"
        case UnpricedReason.NEEDS_INPUT:
            return f"the price depends on {why.field}: give it"
        case UnpricedReason.DECIDED_BY_RESULT:
            return f"the price would be known only with the result; choose {why.field or 'other inputs'} otherwise"
        case UnpricedReason.NO_ROW:
            return f"{model.id} has no price for this combination of inputs"
        case UnpricedReason.NEEDS_EARLIER_TASK:
            return f"the price of {model.id} depends on an earlier task"
        case UnpricedReason.NO_PRICE:
            return f"the price of {model.id} is not known beforehand"
        case _:
            assert_never(why.reason)


def unfit(field: str, given: object, why: Misfit) -> str:
    """Why a file does not do, and what would."""
    return f"{field}: {given} {_flaw(why)}; it must be {kind_said(why.wanted)}"


def _flaw(why: Misfit) -> str:
    match why.flaw:
        case Flaw.WRONG_KIND:
            return f"is no {why.wanted.media} file"
        case Flaw.WRONG_FORMAT:
            return "has a format that is not taken"
        case Flaw.TOO_BIG:
            return "is larger than can be carried" if why.limit is None else f"has more than {why.limit:g} MB"
        case Flaw.TOO_SHORT:
            return f"plays {why.actual:g} s, shorter than {why.limit:g} s"
        case Flaw.TOO_LONG:
            return f"plays {why.actual:g} s, longer than {why.limit:g} s"
        case Flaw.UNKNOWN_LENGTH:
            return "does not tell how long it plays, which has to be known (of an address it never is: give a file)"
        case Flaw.PAGE:
            return "is a page, and no file"
        case Flaw.UNREADABLE | Flaw.NOT_THERE | Flaw.PRIVATE | Flaw.AWAY:
            return "cannot be read"
        case _:
            assert_never(why.flaw)


def _listed(names: Iterable[Scalar]) -> str:
    return ", ".join(map(str, names))
