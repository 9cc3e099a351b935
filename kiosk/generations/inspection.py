"""Looks at a direct order before anything is ordered: model, files, values, price. Needs no database and no key."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kiosk.catalog.form import Invalid, Valid, validate
from kiosk.catalog.model import Input, Listing, Media, Model
from kiosk.catalog.quote import Quote, Rates, Unpriced, quote
from kiosk.catalog.reference import Reference, read_reference
from kiosk.catalog.report import WHY_NOT
from kiosk.catalog.shelf import Shelf
from kiosk.errors import CannotStart
from kiosk.generations import complaints
from kiosk.media.fit import Facts, Flaw, Misfit, is_timed, misfit, too_long_together
from kiosk.media.given import Given, look_at, most_bytes
from kiosk.media.source import MEDIA_OF, Gone, Library, Unreachable

CARRIED: Final = frozenset(MEDIA_OF.values())
ADDRESS: Final = ("https://", "http://")


class NotOrdered(CannotStart):
    """Nothing was ordered and nothing moved; `reasons` say why, each in a sentence."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


@dataclass(frozen=True, slots=True)
class Ready:
    """Checked from end to end, and priced. `files`: what its inputs name as `media:1`, `media:2` and so on for now."""

    model: Model
    inputs: Mapping[str, Any]
    quote: Quote
    files: tuple[tuple[Given, Facts], ...]


@dataclass(slots=True)
class _Counted:
    """Files in the order in which they are named, and what is wrong with them."""

    files: list[tuple[Given, Facts]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def named(self, given: Given, facts: Facts) -> str:
        self.files.append((given, facts))
        return str(Reference(len(self.files), facts.seconds))

    def refused(self, name: str, given: object, why: Misfit) -> str:
        self.reasons.append(complaints.unfit(name, given, why))
        return ""


@dataclass(frozen=True, slots=True)
class Inspector:
    """A file is given as a `Path`, or by its address, which `library` opens."""

    shelf: Shelf
    rates: Rates
    library: Library

    def model(self, model_id: str) -> Model:
        """One that is sold. Errors: NotOrdered."""
        model = self.shelf.find(model_id)
        if model is None:
            raise NotOrdered(unknown_model(self.shelf, model_id))
        why = self.shelf.why_not_sold(model)
        if why is not None:
            raise NotOrdered(f"{model.id} is not sold: {WHY_NOT[why]}")
        return model

    async def check(self, model_id: str, inputs: Mapping[str, Any]) -> Ready:
        """Looks at every file and value, changes nothing. Errors: NotOrdered, with everything that is wrong."""
        model = self.model(model_id)
        counted = _Counted(reasons=list(_out_of_place(model, inputs)))
        known = {item.name: item for item in model.inputs}
        given = {
            name: await self._looked_at(model, known[name], value, counted) if name in known else value
            for name, value in inputs.items()
        }
        if counted.reasons:
            raise NotOrdered(*counted.reasons)
        match validate(model, given):
            case Invalid(problems=problems):
                raise NotOrdered(*(complaints.wrong(model, one) for one in problems))
            case Valid(inputs=complete):
                pass
        priced = quote(model, complete, self.rates)
        if isinstance(priced, Unpriced):
            raise NotOrdered(complaints.no_price(model, priced))
        return Ready(model, complete, priced, tuple(counted.files))

    async def _looked_at(self, model: Model, item: Input, value: Any, counted: _Counted) -> Any:
        """The value with its files named by number; what is no file is left to the form."""
        wanted = item.kind.of if isinstance(item.kind, Listing) else item.kind
        if not isinstance(wanted, Media) or wanted.media not in CARRIED:
            return value
        if not isinstance(value, list):
            return await self._named(model, item, wanted, value, counted)
        named = [await self._named(model, item, wanted, one, counted) for one in value]
        together = too_long_together(model, item.name, wanted, named)
        if together:
            counted.refused(item.name, "all together", together)
        return named

    async def _named(self, model: Model, item: Input, wanted: Media, given: Any, counted: _Counted) -> Any:
        if not isinstance(given, Path) and not (isinstance(given, str) and given.lower().startswith(ADDRESS)):
            return "" if read_reference(given) else given  # a number is not for others to name
        timed = is_timed(model, item.name)
        try:
            facts = await look_at(self.library, given, timed=timed)
        except (Gone, Unreachable):
            return counted.refused(item.name, given, Misfit(Flaw.UNREADABLE, wanted))
        if isinstance(facts, Flaw):
            return counted.refused(item.name, given, Misfit(facts, wanted))
        found = misfit(wanted, facts, timed=timed, most_bytes=most_bytes(given))
        return counted.refused(item.name, given, found) if found else counted.named(given, facts)


def unknown_model(shelf: Shelf, model_id: str) -> str:
    """With what could be meant."""
    close = difflib.get_close_matches(model_id, shelf.by_id, n=3)
    return f"there is no model {model_id}" + (f"; is it {' or '.join(close)}?" if close else "")


def _out_of_place(model: Model, inputs: Mapping[str, Any]) -> Iterator[str]:
    """What a direct order cannot say yet."""
    for name in inputs:
        item = model.find(name)
        if item and item.task_ref:
            yield f"{name} names an earlier task, which a direct order cannot do yet"
        elif item and not takes_files(item) and _holds_path(inputs[name]):
            yield f"{name} takes no file"


def takes_files(item: Input) -> bool:
    """Files that we carry: of others the provider is given the address itself."""
    kind = item.kind.of if isinstance(item.kind, Listing) else item.kind
    return isinstance(kind, Media) and kind.media in CARRIED


def _holds_path(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_path(one) for one in value.values())
    return any(_holds_path(one) for one in value) if isinstance(value, list) else isinstance(value, Path)
