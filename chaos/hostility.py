"""What the stand-ins do wrong while a run lasts, and how often: what real ones have been seen to do."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from chaos.scale import HOUR_S
from sandbox.faults import Fault

# Chances per request; seconds are the provider's, which pass faster here.
OF_A_TASK: Final = {
    "callback_never": 0.15,
    "callback_twice": 0.15,
    "callback_late": 0.08,
    "callback_before_reply": 0.06,
    "callback_reordered": 0.08,
    "callback_forged": 0.06,
    "callback_stray": 0.06,
    "task_fail": 0.04,
    "task_stuck": 0.02,
    "task_empty_urls": 0.02,
    "task_malformed_result": 0.01,
}
OF_CREATE_TASK: Final = {
    "lost_reply": 0.05,
    "slow_reply": 0.01,
    "http_502_after": 0.03,
    "http_500": 0.01,
    "http_502": 0.02,
    "not_json": 0.02,
    "code_429": 0.005,
    "code_455": 0.003,  # the shop rests for half a minute of ours after each
    "code_500": 0.02,
}
OF_RECORD_INFO: Final = {
    "http_502": 0.04,
    "not_json": 0.03,
    "code_429": 0.02,
    "code_500": 0.03,
    "record_null": 0.03,
    "lost_reply": 0.03,
}
OF_A_FILE: Final = {"file_404": 0.04, "file_html": 0.04, "file_wrong_type": 0.08, "file_truncated": 0.02}
OF_BOT_METHODS: Final = {
    "sendMessage": 0.015,
    "editMessageText": 0.015,
    "editMessageMedia": 0.03,
    "sendPhoto": 0.03,
    "answerCallbackQuery": 0.015,
    "deleteMessage": 0.015,
}
OF_A_BOT_CALL: Final = (
    "flood",
    "error_before",
    "error_after",
    "bad_gateway",
    "bad_gateway_after",
    "drop_before",
    "drop_after",
    "slow",
)
OF_AN_UPDATE: Final = {"duplicate_update": 0.08, "delay_update": 0.06}
BLOCKED: Final = 0.004  # of deliveries only: to the shop the customer has left, and comes back with the next word
FILE_REFUSED: Final = 0.02

# The task ends when the shop has long given the money back, and its callback comes then. While the first half of a run
# lasts, or the end would be spent on waiting for the last of them.
HOURS_LATE: Final = "task_seconds"
HOURS_LATE_CHANCE: Final = 0.03
LATE_HOURS: Final = ((200, 2.0), (50, 1.1))  # from so many orders on; in a short run nothing is so late
ARGS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "callback_late": {"seconds": 240.0},
        "slow_reply": {"seconds": 16.0},  # of ours: longer than the shop listens
    }
)

# What each fault stands for: its names, at which requests (none: at any).
PROVIDER_CLASSES: Final[Mapping[str, tuple[tuple[str, ...], str | None]]] = MappingProxyType(
    {
        "callback lost": (("callback_never",), None),
        "callback twice": (("callback_twice",), None),
        "callback before the reply": (("callback_before_reply",), None),
        "callback out of order": (("callback_reordered",), None),
        "callback late": (("callback_late",), None),
        "callback hours late, after the release": ((HOURS_LATE,), None),
        "callback with a made-up result": (("callback_forged",), None),
        "callback with a wrong token": (("callback_stray",), None),
        "create: reply lost": (("lost_reply", "http_502_after"), "createTask"),
        "create: time-out after acceptance": (("slow_reply",), "createTask"),
        "create: 429": (("code_429",), "createTask"),
        "create: 455": (("code_455",), "createTask"),
        "create: 5xx": (("code_500", "http_500", "http_502"), "createTask"),
        "create: HTML": (("not_json",), "createTask"),
        "record: unreadable": (tuple(OF_RECORD_INFO), "recordInfo"),
        "task failed": (("task_fail",), None),
        "task waiting for ever": (("task_stuck",), None),
        "success without URLs": (("task_empty_urls", "task_malformed_result"), None),
        "result dead": (("file_404", "file_html", "file_truncated"), None),
        "result of a wrong type": (("file_wrong_type",), None),
    }
)
TELEGRAM_CLASSES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Telegram 429": ("flood",),
        "Telegram 5xx, nothing done": ("error_before", "bad_gateway", "drop_before"),
        "Telegram 5xx, done after all": ("error_after", "bad_gateway_after", "drop_after"),
        "Telegram slow": ("slow",),
        "file refused": ("refuse_file",),
        "update twice": ("duplicate_update",),
        "update late": ("delay_update",),
    }
)
BLOCKED_CLASS: Final = "bot blocked"
DELETED_CLASS: Final = "status message deleted"

Struck = Mapping[tuple[str, str], int]  # by fault and request


def of_the_provider(generations: int) -> Iterator[Fault]:
    for name, chance in {**OF_A_TASK, **OF_CREATE_TASK}.items():
        yield Fault(name, "createTask", chance, args=dict(ARGS.get(name, {})))
    for name, chance in OF_RECORD_INFO.items():
        yield Fault(name, "recordInfo", chance)
    for name, chance in OF_A_FILE.items():
        yield Fault(name, "result", chance)
    for at_least, hours in LATE_HOURS:
        if generations >= at_least:
            yield Fault(HOURS_LATE, "createTask", HOURS_LATE_CHANCE, args={"seconds": hours * HOUR_S})
            break


def of_telegram() -> Iterator[Fault]:
    for method, chance in OF_BOT_METHODS.items():
        for name in OF_A_BOT_CALL:
            yield Fault(name, method, chance, args={"delay_s": 2, "retry_after": 1})
    yield Fault("blocked", "editMessageMedia", BLOCKED)
    yield Fault("refuse_file", "editMessageMedia", FILE_REFUSED)
    for name, chance in OF_AN_UPDATE.items():
        yield Fault(name, "webhook", chance, args={"delay_s": 1})


def by_class(provider: Struck, telegram: Struck, *, blocks: int, deletions: int) -> dict[str, int]:
    """How often each class of faults struck; `blocks` and `deletions` are the customers' own doing."""
    counts = {
        title: sum(times for (name, request), times in provider.items() if name in names and where in (None, request))
        for title, (names, where) in PROVIDER_CLASSES.items()
    }
    counts |= {
        title: sum(times for (name, _), times in telegram.items() if name in names)
        for title, names in TELEGRAM_CLASSES.items()
    }
    blocked = sum(times for (name, _), times in telegram.items() if name == "blocked")
    return {**counts, BLOCKED_CLASS: blocked + blocks, DELETED_CLASS: deletions}
