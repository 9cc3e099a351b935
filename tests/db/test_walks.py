"""Walks along the buttons: every one answers, "back" ends somewhere, and every step can be left for good."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from kiosk.bot import buttons
from kiosk.bot.buttons import Press, model_code, pack
from kiosk.bot.filing import FilingDesk
from kiosk.bot.replies import Brought, Pressed, Reply
from kiosk.bot.screens import Screen
from kiosk.bot.words import words
from kiosk.catalog.form import Question, QuestionKind
from kiosk.catalog.model import Model
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database
from kiosk.generations import drafts
from kiosk.generations.confirm import Till
from kiosk.generations.settle import Settler
from kiosk.media.fit import Facts
from kiosk.media.store import Source
from tests.answers import SECONDS, first_answer
from tests.db.test_draft import PATIENCE, WIZARD
from tests.shopkeeping import BOT, a_visitor

SAY = words("ru")
MESSAGE = 5
STEPS = 60
BACK_AT_MOST = 30
# One of each shape: choices, settings, numbers, files, lists of objects, a list that a switch demands, pages.
WALKED = (
    "z-image",
    "wan/2-7-text-to-video",
    "kling-3.0/video",
    "elevenlabs/text-to-dialogue-v3",
    "pixverse-v6/reference-to-video",
    "kling-3.0-omni/reference-to-video",
)


@dataclass
class Walker:
    """A visitor with one message of the bot, and the screen in it."""

    desk: FilingDesk
    visitor: Any = field(default_factory=a_visitor)
    screen: Screen = field(default_factory=lambda: Screen(""))
    update: int = 0
    pressed: set[type[Press]] = field(default_factory=set)

    async def press(self, press: Press) -> Reply:
        """Presses, and looks at what is shown then."""
        self.update += 1
        self.pressed.add(type(press))
        at = Pressed(self.visitor.telegram_id, MESSAGE, self.update, pack(press))
        reply = await self.desk.press(self.visitor, at)
        assert reply.screen or reply.toast, press
        assert reply.toast != SAY.plain("old-button"), press
        self.look(reply)
        return reply

    async def say(self, asked: Question, model: Model) -> None:
        """Answers in words, or with a file."""
        self.update += 1
        wanted = await self.desk.wanted(self.visitor, self.visitor.telegram_id)
        assert wanted
        if wanted.media:
            facts = Facts(wanted.media.media, "bin", "application/octet-stream", 10, SECONDS)
            brought = Brought(Source(link="https://x.example/a"), facts)
            reply = await self.desk.attach(self.visitor, wanted, brought, self.update)
        else:
            text = str(first_answer(model, asked))
            said = await self.desk.text(self.visitor, self.visitor.telegram_id, text, self.update)
            assert said
            reply = said
        if reply.draft:
            await self.desk.shown(reply.draft, MESSAGE)
        self.look(reply)

    def look(self, reply: Reply) -> None:
        if reply.screen and not reply.screen.fresh:
            assert reply.screen.rows, reply.screen.text
            self.screen = reply.screen

    def presses(self) -> list[Press]:
        return [button.press for row in self.screen.rows for button in row]

    def button(self, key: str) -> Press:
        (found,) = [one.press for row in self.screen.rows for one in row if one.text == SAY.plain(key)]
        return found

    def back(self) -> Press | None:
        return self.button("back-button") if SAY.plain("back-button") in self.labels() else None

    def labels(self) -> list[str]:
        return [button.text for row in self.screen.rows for button in row]


def a_desk(db: Database) -> FilingDesk:
    return FilingDesk(
        db=db,
        shelf=default_shelf(),
        wizard=WIZARD,
        till=Till(db, WIZARD, PATIENCE, open_at_most=5, key_name="gate"),
        settler=Settler(db),
        welcome_kopecks=10**6,
        support="",
        admins=frozenset(),
    )


async def remembered(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO bots (id, username) VALUES ($1, 'walked_bot') ON CONFLICT DO NOTHING", BOT)


async def asking(walker: Walker) -> Question | None:
    async with walker.desk.db.transaction() as tx:
        customer = await tx.fetchval("SELECT id FROM customers WHERE telegram_id = $1", walker.visitor.telegram_id)
        draft = await drafts.latest(tx, customer, walker.visitor.telegram_id)
    return WIZARD.question(draft) if draft else None


async def step(walker: Walker, model: Model, chance: random.Random) -> None:
    """Answers what is asked, or presses any button but those that end the walk."""
    asked = await asking(walker)
    in_words = asked and not asked.choices and asked.kind not in {QuestionKind.OBJECTS, QuestionKind.OBJECT}
    ways = [one for one in walker.presses() if isinstance(one, buttons.OnDraft | buttons.Home | buttons.Balance)]
    if asked and in_words and (not ways or chance.random() < 0.7):
        await walker.say(asked, model)
    else:
        at_home = any(isinstance(one, buttons.Aisle) for one in walker.presses())
        await walker.press(buttons.Choose(model_code(model.id)) if at_home or not ways else chance.choice(ways))


@pytest.mark.parametrize("model_id", WALKED)
async def test_any_walk_can_be_gone_back_and_left(database: Database, model_id: str) -> None:
    """After any presses and answers "back" ends at the first question or the card, and cancel and /start leave."""
    await remembered(database)
    model, chance = default_shelf().get(model_id), random.Random(model_id)
    walker = Walker(a_desk(database))
    await walker.desk.start(walker.visitor)
    await walker.press(buttons.Choose(model_code(model_id)))
    for number in range(STEPS):
        await step(walker, model, chance)
        if number % 6 == 0:
            for _ in range(BACK_AT_MOST):
                if (back := walker.back()) is None:
                    break
                await walker.press(back)
            assert walker.back() is None, walker.screen
    await walker.press(buttons.Choose(model_code(model_id)))
    await walker.press(walker.button("cancel-button"))
    assert walker.presses() == [buttons.Home()]
    await walker.press(buttons.Choose(model_code(model_id)))
    home = await walker.desk.start(walker.visitor)
    assert home.screen
    assert not any(isinstance(one.press, buttons.Cancel) for row in home.screen.rows for one in row)


async def test_every_kind_of_button_is_answered(database: Database) -> None:
    """Each press that there is, meant for somebody's draft, for a stranger's or for none, leads to words."""
    await remembered(database)
    walker = Walker(a_desk(database))
    await walker.desk.start(walker.visitor)
    await walker.press(buttons.Choose(model_code("kling-3.0/video")))
    (draft,) = {one.generation_id for one in walker.presses() if isinstance(one, buttons.Cancel)}
    for kind in Press.__args__:
        for number in (draft, draft + 1000):
            values = {"generation_id": number, "code": model_code("z-image")}
            press = kind(**{name: values.get(name, 0) for name in kind.__slots__})
            walker.update += 1
            at = Pressed(walker.visitor.telegram_id, MESSAGE, walker.update, pack(press))
            reply = await walker.desk.press(walker.visitor, at)
            assert reply.screen or reply.toast, press


async def test_double_press_takes_one_object_away(database: Database) -> None:
    """Pressed twice at once, "remove" takes the line that it stood under and not the one that followed it."""
    await remembered(database)
    model = default_shelf().get("elevenlabs/text-to-dialogue-v3")
    walker = Walker(a_desk(database))
    await walker.desk.start(walker.visitor)
    await walker.press(buttons.Choose(model_code(model.id)))
    for number in range(3):
        if number:
            await walker.press(walker.button("object-add-button"))
        asked = await asking(walker)
        assert asked
        await walker.say(asked, model)
        await walker.press(walker.presses()[0])
    await walker.press(walker.presses()[0])
    drop = walker.button("object-drop-button")
    assert isinstance(drop, buttons.Drop)
    for _ in range(2):
        await walker.press(drop)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT jsonb_array_length(inputs -> 'dialogue') FROM generations") == 2
    third = buttons.Ask(drop.generation_id, 0 + 1000 * (4 * 100))
    await walker.press(third)
    assert isinstance(walker.presses()[-1], buttons.Cancel)
