"""What may go wrong with the provider, outside of creating a task.

KieError
├── Unavailable              ask again later
│   ├── Unreachable          nothing was sent
│   ├── NoAnswer             sent, but no answer came back
│   ├── RateLimited
│   ├── UnderMaintenance
│   └── UnreadableAnswer     an answer without a readable envelope or record
├── Rejected                 asking again changes nothing
│   ├── Unauthorized
│   ├── CreditsExhausted
│   ├── KeyCapReached
│   ├── FeatureDisabled
│   ├── BadRequest
│   └── TaskNotFound
├── TaskTimeout
├── RequestTooLarge
└── MalformedCallback
"""


class KieError(Exception):
    """The provider did not do what was asked."""

    def __init__(self, *, code: int | None = None, detail: str = "") -> None:
        self.code = code  # of the envelope, or the HTTP status where there is no envelope
        self.detail = detail  # the provider's words, bounded; for operators, never for customers
        super().__init__(code, detail)

    def __str__(self) -> str:
        fact = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        known = [str(part) for part in (self.code, self.detail) if part not in {None, ""}]
        return f"{fact}: {' '.join(known)}" if known else f"{fact}."


class Unavailable(KieError):  # noqa: N818 - it states a fact
    """The provider cannot answer now."""


class Unreachable(Unavailable):
    """No connection to the provider; nothing was sent."""


class NoAnswer(Unavailable):
    """The request left, but no whole answer came back."""


class RateLimited(Unavailable):
    """The provider counts too many requests."""

    def __init__(self, *, code: int | None = None, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(code=code, detail=detail)
        self.retry_after_s = retry_after_s


class UnderMaintenance(Unavailable):
    """The provider is under maintenance."""


class UnreadableAnswer(Unavailable):
    """The answer is not one that the provider is known to give."""


class Rejected(KieError):  # noqa: N818 - it states a fact
    """The provider refused the request."""


class Unauthorized(Rejected):
    """The provider does not accept our key."""


class CreditsExhausted(Rejected):
    """Our balance at the provider is too low."""


class KeyCapReached(Rejected):
    """Our key reached its own spending limit."""


class FeatureDisabled(Rejected):
    """The provider has switched this off."""


class BadRequest(Rejected):
    """The provider found fault with the request."""


class TaskNotFound(Rejected):
    """The provider knows no such task."""

    def __init__(self, *, task_id: str, code: int | None = None, detail: str = "") -> None:
        super().__init__(code=code, detail=detail)
        self.task_id = task_id


class TaskTimeout(KieError):  # noqa: N818 - it states a fact
    """The task did not end in time."""

    def __init__(self, *, task_id: str, state: str | None, timeout_s: float) -> None:
        super().__init__(detail=f"{task_id} was {state or 'never seen'} after {timeout_s:g} s")
        self.task_id = task_id
        self.state = state  # the last one seen
        self.timeout_s = timeout_s


class RequestTooLarge(KieError):  # noqa: N818 - it states a fact
    """The request is larger than we are willing to send."""

    def __init__(self, *, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(detail=f"{size_bytes} bytes, limit {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class MalformedCallback(KieError):  # noqa: N818 - it states a fact
    """The callback names no task."""

    def __init__(self, *, why: str, size_bytes: int) -> None:
        super().__init__(detail=f"{why}, {size_bytes} bytes")
        self.why = why
        self.size_bytes = size_bytes
