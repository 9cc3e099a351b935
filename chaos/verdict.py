"""Were the promises kept? Judged from what customers see, what the provider made, and what the books say; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.customers import Diary, Message, by_order
from chaos.database import Order, Wallet

CALLBACK = re.compile(r"/callbacks/kie/(\d+)/")
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was looked at once the shop had come to rest.

    `chats` by the customer's number in Telegram; `creates` counts the provider's tasks by their callback address;
    `audit` is what `kiosk audit --json` says; `strays` counts the answers to callbacks with a wrong token.
    """

    diary: Diary
    chats: Mapping[int, Sequence[Message]]
    creates: Mapping[str, int]
    orders: Sequence[Order]
    wallets: Mapping[int, Wallet]
    welcome_kopecks: int
    audit: Mapping[str, int]
    strays: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdict:
    """Counts of orders, unless the name says kopecks or tasks; `complaints` tells the first of what is wrong."""

    generations: int = 0
    final: int = 0
    delivered_once: int = 0
    delivered_twice: int = 0
    delivered_elsewhere: int = 0  # the picture is not in the order's own message, though its customer kept it
    resent: int = 0  # shown again after the customer deleted the order's message: not promised otherwise
    failed_told: int = 0
    canceled: int = 0
    gifts: int = 0
    lost: int = 0
    kopecks_unexplained: int = 0
    extra_tasks: int = 0  # repeats after an unknown outcome, each counted by the shop
    uncounted_tasks: int = 0
    forgeries_believed: int = 0  # callbacks with a wrong token that were thanked for
    audit: str = "clean"
    complaints: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether all is as promised."""
        return not self.complaints

    def complain(self, text: str) -> None:
        if len(self.complaints) < EXAMPLES:
            self.complaints.append(text)


def judge(evidence: Evidence) -> Verdict:
    verdict = Verdict(generations=len(evidence.orders))
    shown = {order: found for chat in evidence.chats.values() for order, found in by_order(chat).items()}
    for order in evidence.orders:
        _judge_order(verdict, evidence, order, shown.get(order.id, []))
    _judge_memory(verdict, evidence)
    _judge_money(verdict, evidence, shown)
    _judge_tasks(verdict, evidence)
    _judge_strangers(verdict, evidence)
    broken = {name: count for name, count in evidence.audit.items() if count}
    if broken:
        verdict.audit = ", ".join(f"{name}: {count}" for name, count in sorted(broken.items()))
        verdict.complain(f"audit: {verdict.audit}")
    return verdict


def is_result(message: Message) -> bool:
    """A picture, or the address of one that could not be uploaded."""
    return bool(message["media"]) or "Готово!" in message["text"]


def _judge_order(verdict: Verdict, evidence: Evidence, order: Order, shown: Sequence[Message]) -> None:
    if order.state not in ("done", "failed", "canceled"):
        verdict.lost += 1
        verdict.complain(f"order {order.id} never ended: {order.state}, submits {order.submits}")
        return
    verdict.final += 1
    pictures = [message for message in shown if is_result(message)]
    match order.state:
        case "done":
            _judge_delivery(verdict, evidence, order, pictures)
        case "failed" if pictures or not shown:
            verdict.lost += 1
            verdict.complain(
                f"order {order.id} failed, and its customer sees {len(pictures)} pictures and no word of it"
            )
        case "failed":
            verdict.failed_told += 1
        case _:
            verdict.canceled += 1
            if pictures:
                verdict.complain(f"order {order.id} was canceled and yet delivered")


def _judge_delivery(verdict: Verdict, evidence: Evidence, order: Order, pictures: Sequence[Message]) -> None:
    diary = evidence.diary
    verdict.gifts += order.late
    if not pictures:
        verdict.lost += 1
        verdict.complain(f"order {order.id} is done and its customer has no picture")
    elif order.id in diary.deleted:
        verdict.delivered_once += 1
        verdict.resent += len(pictures) - 1
    elif len(pictures) > 1:
        verdict.delivered_twice += 1
        where = ", ".join(str(message["message_id"]) for message in pictures)
        verdict.complain(f"order {order.id} was delivered {len(pictures)} times: messages {where}")
    else:
        verdict.delivered_once += 1
        if pictures[0]["message_id"] not in diary.cards.get(order.id, set()):
            verdict.delivered_elsewhere += 1
            left = diary.cards.get(order.id, set()) & {
                message["message_id"] for message in evidence.chats[order.telegram_id]
            }
            how = "which still waits" if left else "which its customer did not delete and yet is gone"
            verdict.complain(f"order {order.id} was delivered beside its own message, {how}")


def _judge_memory(verdict: Verdict, evidence: Evidence) -> None:
    """What a chat called an order is one in the database, and belongs to whoever pressed."""
    known = {order.id: order.telegram_id for order in evidence.orders}
    for order in sorted(evidence.diary.confirmed - known.keys()):
        verdict.lost += 1
        verdict.complain(f"order {order} was confirmed in the chat and is unknown to the database")
    for order, owner in evidence.diary.owners.items():
        if known.get(order, owner) != owner:
            verdict.complain(f"order {order} belongs to somebody else")


def _judge_money(verdict: Verdict, evidence: Evidence, shown: Mapping[int, Sequence[Message]]) -> None:
    """A customer has what they were given, less the price of every picture in their chat that was no gift."""
    for telegram_id, wallet in evidence.wallets.items():
        bought = [
            evidence.diary.prices.get(order.id, order.price_kopecks)
            for order in evidence.orders
            if order.telegram_id == telegram_id and _was_bought(shown.get(order.id, []))
        ]
        expected = evidence.welcome_kopecks - sum(bought)
        unexplained = abs(wallet.available_kopecks - expected) + abs(wallet.held_kopecks)
        unexplained += abs(wallet.welcome_kopecks - evidence.welcome_kopecks)
        if unexplained:
            verdict.kopecks_unexplained += unexplained
            verdict.complain(
                f"customer {telegram_id} has {wallet.available_kopecks} kopecks and {wallet.held_kopecks} held; "
                f"{len(bought)} pictures explain {expected} and 0"
            )


def _was_bought(shown: Sequence[Message]) -> bool:
    return any(is_result(message) and "бесплатно" not in message["text"] for message in shown)


def _judge_tasks(verdict: Verdict, evidence: Evidence) -> None:
    """The provider was asked again only after an unknown outcome, and every time was counted."""
    made: dict[int, int] = {}
    for url, count in evidence.creates.items():
        found = CALLBACK.search(url)
        if found:
            made[int(found[1])] = made.get(int(found[1]), 0) + count
    submits = {order.id: order.submits for order in evidence.orders}
    for order, count in made.items():
        verdict.extra_tasks += count - 1
        uncounted = count - submits.get(order, 0)
        if uncounted > 0:
            verdict.uncounted_tasks += uncounted
            verdict.complain(
                f"order {order} has {count} tasks at the provider and {submits.get(order, 0)} counted submits"
            )


def _judge_strangers(verdict: Verdict, evidence: Evidence) -> None:
    verdict.forgeries_believed = sum(times for answer, times in evidence.strays.items() if answer.startswith("2"))
    if verdict.forgeries_believed:
        verdict.complain(f"{verdict.forgeries_believed} callbacks with a wrong token were answered like true ones")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The counts."""
    names = [name for name in Verdict.__dataclass_fields__ if name != "complaints"]
    return {name: getattr(verdict, name) for name in names}
