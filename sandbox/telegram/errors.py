"""What the Bot API answers when it refuses: a code, a description in its own words, sometimes a pause."""

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
QUERY_EXPIRED = "query is too old and response timeout expired or query ID is invalid"
WRONG_FILE = "wrong file identifier/HTTP URL specified"
URL_FAILED = "failed to get HTTP URL content"
URL_WRONG_TYPE = "wrong type of the web page content"


class ApiError(Exception):
    """The call is refused; `retry_after_s` is what a 429 carries in its parameters."""

    def __init__(self, code: int, description: str, retry_after_s: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after_s = retry_after_s


class BadRequest(ApiError):  # noqa: N818 - the name states the fact
    """400 in the form "Bad Request: ..."."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"Bad Request: {reason}")


class Forbidden(ApiError):  # noqa: N818 - the name states the fact
    """403 in the form "Forbidden: ..."; the customer has to act before a repetition can succeed."""

    def __init__(self, reason: str) -> None:
        super().__init__(403, f"Forbidden: {reason}")


class CannotParse(BadRequest):
    """Formatting that does not parse: nothing is sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"can't parse entities: {reason}")


class TooManyRequests(ApiError):  # noqa: N818 - the name states the fact
    """429: the pause in seconds is the only certain thing about Telegram's rates."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(429, f"Too Many Requests: retry after {retry_after_s}", retry_after_s)


class TooLarge(ApiError):  # noqa: N818 - the name states the fact
    """413: a file beyond the upload limit, refused before anything is read."""

    def __init__(self) -> None:
        super().__init__(413, "Request Entity Too Large")
