"""What the stand-ins do wrong while a run lasts, and how often: what real ones have been seen to do."""

from collections.abc import Iterator
from typing import Final

from sandbox.faults import Fault

# Chances per request; seconds are the provider's, which pass faster here.
OF_A_TASK: Final = {
    "callback_never": 0.15,
    "callback_twice": 0.15,
    "callback_late": 0.08,
    "callback_before_reply": 0.06,
    "callback_reordered": 0.08,
    "callback_forged": 0.08,
    "task_fail": 0.05,
    "task_stuck": 0.02,
    "task_empty_urls": 0.02,
}
OF_CREATE_TASK: Final = {
    "lost_reply": 0.05,
    "http_502_after": 0.03,
    "http_502": 0.02,
    "not_json": 0.02,
    "code_429": 0.02,
    "code_455": 0.02,
    "code_500": 0.02,
}
OF_RECORD_INFO: Final = {"http_502": 0.04, "not_json": 0.03, "code_500": 0.03, "record_null": 0.03, "lost_reply": 0.03}
OF_A_FILE: Final = {"file_404": 0.04, "file_html": 0.04, "file_wrong_type": 0.08}
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
LATE_S: Final = 240.0


def of_the_provider() -> Iterator[Fault]:
    for name, chance in {**OF_A_TASK, **OF_CREATE_TASK}.items():
        yield Fault(name, "createTask", chance, args={"seconds": LATE_S} if name == "callback_late" else {})
    for name, chance in OF_RECORD_INFO.items():
        yield Fault(name, "recordInfo", chance)
    for name, chance in OF_A_FILE.items():
        yield Fault(name, "result", chance)


def of_telegram() -> Iterator[Fault]:
    for method, chance in OF_BOT_METHODS.items():
        for name in OF_A_BOT_CALL:
            yield Fault(name, method, chance, args={"delay_s": 2, "retry_after": 1})
    yield Fault("blocked", "editMessageMedia", BLOCKED)
    for name, chance in OF_AN_UPDATE.items():
        yield Fault(name, "webhook", chance, args={"delay_s": 1})
