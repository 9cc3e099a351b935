"""What is wrong with an answer, or with several together, in words that say what is expected; pure."""

from typing import Literal, assert_never

from kiosk.bot.asking import number_hint
from kiosk.bot.labels import count, field_label, path_label
from kiosk.bot.words import Words
from kiosk.catalog.form import Problem, ProblemKind, QuestionKind, question
from kiosk.catalog.model import UNSTATED_MAX_NUMBER, Model
from kiosk.catalog.quote import Unpriced, UnpricedReason
from kiosk.media.fit import Flaw, Misfit


def problem(say: Words, model: Model, found: Problem) -> str:
    """As HTML; the input is named where the words would not tell which one is meant."""
    name = path_label(say, model, found.field)
    match found.kind:
        case ProblemKind.NEED_ONE_OF | ProblemKind.ONLY_ONE_OF:
            key = "wrong-need-one" if found.kind is ProblemKind.NEED_ONE_OF else "wrong-only-one"
            return say(key, fields=_names(say, found.fields or (found.field,)))
        case ProblemKind.NEEDED_HERE:
            return say("wrong-needed", field=name, because=_names(say, found.fields))
        case ProblemKind.NOT_TOGETHER:
            return say("wrong-together", fields=_names(say, (found.field, *found.fields)))
        case ProblemKind.NOT_ALLOWED_HERE:
            return say("wrong-here", field=name, because=_names(say, found.fields))
        case _:
            return _alone(say, model, found, name)


def _alone(say: Words, model: Model, found: Problem, name: str) -> str:
    match found.kind:
        case ProblemKind.MISSING if name:
            return say("wrong-missing", field=name)
        case ProblemKind.EMPTY | ProblemKind.MISSING:
            return say("wrong-empty")
        case ProblemKind.NOT_A_CHOICE:
            return say("wrong-choice")
        case ProblemKind.WRONG_TYPE:
            return _wrong_type(say, model, found)
        case ProblemKind.OUT_OF_RANGE if (found.maximum or 0) >= UNSTATED_MAX_NUMBER:
            return _wrong_type(say, model, found)
        case ProblemKind.OUT_OF_RANGE:
            return say("wrong-range", min=count(found.minimum), max=count(found.maximum))
        case ProblemKind.OFF_STEP:
            return say("wrong-step", step=count(found.step))
        case ProblemKind.BAD_FORM:
            return say("wrong-form", field=name)
        case ProblemKind.NOT_A_LINK:
            return say("wrong-link")
        case _:
            return _counted(say, model, found)


def _wrong_type(say: Words, model: Model, found: Problem) -> str:
    """What would be right instead."""
    asked = question(model, found.field)
    match asked.kind if asked else None:
        case QuestionKind.NUMBER if asked:
            return f"{say('wrong-number')} {number_hint(say, asked)}"
        case QuestionKind.CHOICE | QuestionKind.BOOLEAN | QuestionKind.OBJECTS | QuestionKind.OBJECT:
            return say("wrong-choice")
        case QuestionKind.MEDIA:
            return say("wrong-link")
        case _:
            return say("wrong-other")


def _counted(say: Words, model: Model, found: Problem) -> str:
    actual, least, most = count(found.actual), count(found.minimum), count(found.maximum)
    match found.kind:
        case ProblemKind.TOO_LONG if _holds_objects(model, found.field):
            return say("wrong-too-long-together", actual=actual, max=most)
        case ProblemKind.TOO_MANY if found.fields:
            names = _names(say, (found.field, *found.fields))
            return say("wrong-too-many-together", fields=names, actual=actual, max=most)
        case ProblemKind.TOO_LONG:
            return say("wrong-too-long", actual=actual, max=most)
        case ProblemKind.TOO_SHORT:
            return say("wrong-too-short", actual=actual, min=least)
        case ProblemKind.TOO_FEW:
            return say("wrong-too-few", actual=actual, min=least)
        case ProblemKind.TOO_MANY:
            return say("wrong-too-many", actual=actual, max=most)
        case _:
            return say("wrong-other")


def _holds_objects(model: Model, field: str) -> bool:
    asked = question(model, field)
    return asked is not None and asked.kind is QuestionKind.OBJECTS


def unpriced(say: Words, model: Model, why: Unpriced) -> str:
    """Why these answers have no price, as HTML."""
    name = path_label(say, model, why.field)
    match why.reason:
        case UnpricedReason.NEEDS_INPUT if name:
            return say("unpriced-input", field=name)
        case UnpricedReason.NEEDS_MEDIA_LENGTH:
            return say("unpriced-length", field=name)
        case UnpricedReason.DECIDED_BY_RESULT if name:
            return say("unpriced-open", field=name)
        case (
            UnpricedReason.NO_PRICE
            | UnpricedReason.NO_ROW
            | UnpricedReason.NEEDS_INPUT
            | UnpricedReason.NEEDS_EARLIER_TASK
            | UnpricedReason.DECIDED_BY_RESULT
        ):
            return say("unpriced-other")
        case _:
            assert_never(why.reason)


def unfit(say: Words, why: Misfit) -> str:
    """Why a file does not do, and what would, as HTML."""
    kind = say.plain(f"media-{why.wanted.media}")
    match why.flaw:
        case Flaw.WRONG_KIND if why.found:
            return say("unfit-kind-found", kind=kind, found=say.plain(f"media-{why.found}"))
        case Flaw.WRONG_KIND:
            return say("unfit-kind", kind=kind)
        case Flaw.WRONG_FORMAT:
            return say("unfit-format", formats=", ".join(why.wanted.formats).upper())
        case Flaw.TOO_BIG if why.actual is None:
            return say("unfit-bigger", max=count(why.limit))
        case Flaw.TOO_BIG:
            return say("unfit-big", actual=f"{why.actual or 0:.1f}", max=count(why.limit))
        case Flaw.TOO_SHORT:
            return say("unfit-short", actual=count(why.actual), min=count(why.limit))
        case Flaw.TOO_LONG:
            return say("unfit-long", actual=count(why.actual), max=count(why.limit))
        case Flaw.UNKNOWN_LENGTH:
            return say("unfit-length", kind=kind)
        case Flaw.UNREADABLE:
            return say("unfit-unreadable")
        case _:
            return _unfit_link(say, why.flaw, kind)


def _unfit_link(say: Words, flaw: Literal[Flaw.NOT_THERE, Flaw.PRIVATE, Flaw.AWAY, Flaw.PAGE], kind: str) -> str:
    match flaw:
        case Flaw.NOT_THERE:
            return say("unfit-nothing")
        case Flaw.PRIVATE:
            return say("unfit-private")
        case Flaw.AWAY:
            return say("unfit-away")
        case Flaw.PAGE:
            return say("unfit-page", kind=kind)
        case _:
            assert_never(flaw)


def _names(say: Words, fields: tuple[str, ...]) -> str:
    return ", ".join(f"«{field_label(say, field)}»" for field in fields)
