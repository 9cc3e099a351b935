"""The outside world as a script: a provider, its files and a chat that answer what a test has written down."""

import itertools
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from kiosk.delivery.fetch import Download, Unusable
from kiosk.delivery.messenger import AlbumShown, Blocked, Busy, Content, Recipient, Sent, Shown, Unknown
from kiosk.delivery.plan import Media
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.errors import NoAnswer
from kiosk.kie.outcome import Created, CreateOutcome, Doubt, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.results import Result
from kiosk.kie.task import Failure, FailureKind, Task, TaskState

Meanwhile = Callable[[], Awaitable[None]]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def nothing() -> None:
    """Nothing happens meanwhile."""


async def unnoticed(_generation_id: int) -> None:
    """Nothing happens while a task of it is made."""


class Truth(StrEnum):
    """What a task is, whether anybody knows it or not."""

    GOING = "going"
    WHOLE = "whole"  # a success, every file can be read
    PARTIAL = "partial"  # a success, one file of two can be read
    DEAD = "dead"  # a success, its file cannot be read
    EMPTY = "empty"  # a success that names no file
    FAILED = "failed"


class Reply(StrEnum):
    """How createTask is answered."""

    CREATED = "created"
    REFUSED = "refused"
    NOT_NOW = "not now"
    LOST = "lost"  # there is a task, and no answer
    NOTHING = "nothing"  # there is neither


FILES = {Truth.WHOLE: ("good",), Truth.PARTIAL: ("good", "dead"), Truth.DEAD: ("dead",), Truth.EMPTY: ()}


@dataclass
class ScriptedProvider:
    """In the place of KieClient; what happens while a caller waits for its answer happens once."""

    tasks: dict[str, Truth] = field(default_factory=dict)
    of_generation: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    reply: Reply = Reply.CREATED
    readable: bool = True
    while_creating: Callable[[int], Awaitable[None]] = unnoticed  # with the generation that is asked for
    meanwhile: Meanwhile = nothing  # while a record is asked for
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def create_task(self, model: str, inputs: Mapping[str, Any], callback_url: str | None) -> CreateOutcome:
        del model, inputs
        assert callback_url is not None
        reply, task, generation = self.reply, f"task{next(self.numbers):028d}", int(callback_url.split("/")[-2])
        if reply in (Reply.CREATED, Reply.LOST):
            self.tasks[task] = Truth.GOING
            self.of_generation[generation].append(task)
        happens, self.while_creating = self.while_creating, unnoticed
        await happens(generation)
        match reply:
            case Reply.CREATED:
                return Created(task)
            case Reply.REFUSED:
                return Refused(RefusalReason.BAD_INPUT, 422, "")
            case Reply.NOT_NOW:
                return NotAccepted(DelayReason.MAINTENANCE, None)
            case Reply.LOST | Reply.NOTHING:
                return OutcomeUnknown(Doubt.NO_ANSWER)

    async def get_task(self, task_id: str) -> Task:
        readable, truth = self.readable, self.tasks[task_id]
        await self._let_happen()
        if not readable:
            raise NoAnswer
        files = FILES.get(truth)
        state = TaskState.GENERATING if truth is Truth.GOING else TaskState.FAIL if files is None else TaskState.SUCCESS
        return Task(
            task_id=task_id,
            model="z-image",
            state=state,
            result=Result(urls=tuple(f"https://files.example/{task_id}/{n}/{f}" for n, f in enumerate(files or ()))),
            failure=Failure(FailureKind.PROVIDER, "500", "broken") if state is TaskState.FAIL else None,
            credits_consumed=Decimal("0.8"),
            created_at=None,
            completed_at=None,
            callback_url=None,
        )

    async def _let_happen(self) -> None:
        happens, self.meanwhile = self.meanwhile, nothing
        await happens()


class ScriptedFiles:
    """In the place of Fetcher: an address says what it holds."""

    async def probe(self, url: str, expected: Media) -> Media | Unusable:
        return Unusable("HTTP 404") if url.endswith("dead") else expected

    async def download(self, url: str) -> Download | Unusable:
        if url.endswith("dead"):
            return Unusable("HTTP 404")
        file: tempfile.SpooledTemporaryFile[bytes] = tempfile.SpooledTemporaryFile(len(PNG) + 1)  # noqa: SIM115 - closed by who asked
        file.write(PNG)
        return Download(Media.IMAGE, "png", "image/png", len(PNG), file)


class Chat(StrEnum):
    """How the messenger answers."""

    SENT = "sent"
    BUSY = "busy"
    LOST = "lost"  # shown, and the reply is lost
    BLOCKED = "blocked"


ANSWERS: Mapping[Chat, Shown] = {
    Chat.SENT: Sent(1),
    Chat.BUSY: Busy(5),
    Chat.LOST: Unknown("time-out"),
    Chat.BLOCKED: Blocked(),
}


@dataclass
class ScriptedMessenger:
    """In the place of Telegram; remembers what every order's message has shown, and how often it rang."""

    answer: Chat = Chat.SENT
    meanwhile: Meanwhile = nothing
    results: dict[int, list[Recipient]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[int, list[Recipient]] = field(default_factory=lambda: defaultdict(list))
    rings: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    stands: dict[int, str] = field(default_factory=dict)  # what the order's message shows now

    async def put_result(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        del content, as_document
        return await self._show(self.results[to.generation_id], to, "result")

    async def put_failure(self, to: Recipient) -> Shown:
        return await self._show(self.failures[to.generation_id], to, "failure")

    async def send_extra(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        del content, as_document
        return await self._show([], to)

    async def send_album(self, to: Recipient, files: Sequence[Download], *, as_documents: bool) -> AlbumShown:
        del as_documents
        shown = await self._show([], to)
        return (shown,) * len(files) if isinstance(shown, Sent) else shown

    async def ring(self, to: Recipient) -> Shown:
        rung: list[Recipient] = []
        shown = await self._show(rung, to)
        self.rings[to.generation_id] += len(rung)
        return shown

    async def _show(self, place: list[Recipient], to: Recipient, stands: str = "") -> Shown:
        answer = self.answer
        happens, self.meanwhile = self.meanwhile, nothing
        await happens()
        if answer in (Chat.SENT, Chat.LOST):
            place.append(to)
            if stands:
                self.stands[to.generation_id] = stands
        return ANSWERS[answer]
