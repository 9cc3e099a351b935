"""Why a row of an earlier bot was not taken, or what is to be known of one that was; pure."""

from enum import StrEnum
from typing import Final


class Why(StrEnum):
    """Kept in `imported_rows`: a word that was ever used keeps its meaning."""

    # of customers and their money
    NO_NUMBER = "no_number"
    AGAIN = "again"
    NEGATIVE = "negative"
    UNREADABLE = "unreadable"
    ROUNDED = "rounded"
    OTHER_BALANCE = "other_balance"
    HOLD_UNPROVEN = "hold_unproven"
    HOLD_INSIDE = "hold_inside"
    CHANGED = "changed"
    LATE = "late"
    # of anything that belongs to somebody
    UNKNOWN_OWNER = "unknown_owner"
    NOT_AN_AMOUNT = "not_an_amount"
    UNKNOWN_STATUS = "unknown_status"
    # of orders
    UNORDERED = "unordered"
    CANCELED = "canceled"
    NEVER_SUBMITTED = "never_submitted"
    TOO_OLD = "too_old"
    NOT_COVERED = "not_covered"
    PAID_AHEAD = "paid_ahead"
    TASK_TAKEN = "task_taken"
    NO_RESULT = "no_result"
    NEVER_DELIVERED = "never_delivered"
    UNCOVERED_FAILURE = "uncovered_failure"
    UNKNOWN_MODEL = "unknown_model"
    # of payments
    UNDECIDED = "undecided"
    REJECTED = "rejected"
    PAID_TWICE = "paid_twice"
    # of what our books have no place for
    TOLD_OTHERWISE = "told_otherwise"
    NO_SUCH_FEATURE = "no_such_feature"
    WAKE_UP = "wake_up"


MEANING: Final = {
    Why.NO_NUMBER: "has no number that a person in Telegram can have",
    Why.AGAIN: "the same customer once more; the first row counts",
    Why.NEGATIVE: "less than nothing: the balance is 0 here, the debt was not brought",
    Why.UNREADABLE: "an amount that cannot be read, or beyond belief: counts as 0",
    Why.ROUNDED: "parts of a kopeck, rounded to the nearest",
    Why.OTHER_BALANCE: "the wallet says otherwise, and the wallet counts",
    Why.HOLD_UNPROVEN: "a hold was given back, and the ledger does not prove that it had been taken from the balance",
    Why.HOLD_INSIDE: "the ledger proves that the hold was never taken from the balance: not given back",
    Why.CHANGED: "not what it was when it was imported; nothing was changed here",
    Why.LATE: "came up after its customer was imported",
    Why.UNKNOWN_OWNER: "belongs to nobody in users or wallets",
    Why.NOT_AN_AMOUNT: "no amount above 0, and our books have no such order or payment",
    Why.UNKNOWN_STATUS: "a status that nobody knows",
    Why.UNORDERED: "was never ordered",
    Why.CANCELED: "was canceled, and nothing was taken",
    Why.NEVER_SUBMITTED: "never reached the provider; what was on hold for it is given back",
    Why.TOO_OLD: "began too long ago to be still alive; what was on hold for it is given back",
    Why.NOT_COVERED: "is still being made, and its price is neither on hold nor in the balance",
    Why.PAID_AHEAD: "is still being made and was paid already: that money is on hold now",
    Why.TASK_TAKEN: "its task belongs to another order already",
    Why.NO_RESULT: "is called done and names no address of a result",
    Why.NEVER_DELIVERED: "is done and was never delivered, too long ago to send it now",
    Why.UNCOVERED_FAILURE: "failed, and its price was never in the books",
    Why.UNKNOWN_MODEL: "of a model that the catalog does not have",
    Why.UNDECIDED: "waits for an operator: if the money came, record it with kiosk topup",
    Why.REJECTED: "was not accepted",
    Why.PAID_TWICE: "the same payment once more",
    Why.TOLD_OTHERWISE: "kept as it was: balances, payments and orders tell this money already",
    Why.NO_SUCH_FEATURE: "kept as it was: there are no referrals here",
    Why.WAKE_UP: "kept as it was: whatever is unfinished is asked for at the provider anyway",
}
