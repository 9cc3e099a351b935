"""The log: one JSON object per line, the same for every library, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kiosk.log import HIDDEN, QUIET, Redactor, concerns, correlated, correlation_id, set_up_logging

TOKEN = "123456789:" + "Tk" * 17
STRANGE_TOKEN = "987654321:" + "Zz" * 17
KEY = "key-of-the-provider"
DATABASE = "postgresql://kiosk:s3cret@db.example:5432/shop"
SECRETS = (TOKEN, KEY, DATABASE)
CALLBACK = "https://shop.example/callbacks/kie/42/aB-9_zzzzzzzzzzzzzzzzzzzzzzz"
LIBRARIES = ["aiogram.event", "aiohttp.client", "uvicorn.error", "asyncio", "pgqueuer", "a.library.of.tomorrow"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log is written; afterwards logging is as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in QUIET}
    written = io.StringIO()
    set_up_logging("info", SECRETS, written)
    yield written
    root.handlers, root.level = before[0], before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def only_line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = lines(stream)
    return line


@pytest.mark.parametrize("secret", [*SECRETS, STRANGE_TOKEN])
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        "told {} in a sentence",
        "https://api.telegram.org/bot{}/getMe",
        "https://api.telegram.org/file/bot{}/photos/1.jpg",
        "cannot connect to '{}'",
    ],
)
def test_text_loses_secrets_wherever_they_stand(secret: str, place: str) -> None:
    """Known secrets and whatever looks like a bot token are replaced inside any text."""
    shown = Redactor(SECRETS).text(place.format(secret))
    assert HIDDEN in shown
    assert secret not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/bot{STRANGE_TOKEN.replace(':', '%3A')}/x", f"/bot{HIDDEN}/x"),
        (CALLBACK, f"https://shop.example/callbacks/kie/42/{HIDDEN}"),
        (json.dumps({"url": CALLBACK}).replace("/", "\\/"), None),
        (CALLBACK.replace("/", "%2F"), f"https:%2F%2Fshop.example%2Fcallbacks%2Fkie%2F42%2F{HIDDEN}"),
        ("postgresql://u:other@h/d", f"postgresql://{HIDDEN}@h/d"),
        ("{'Authorization': 'Bearer abc.def'}", f"{{'Authorization': 'Bearer {HIDDEN}'}}"),
    ],
)
def test_text_loses_what_looks_like_a_secret(text: str, shown: str | None) -> None:
    """Secrets that are in no setting are told by their form, however they are escaped."""
    found = Redactor(()).text(text)
    assert HIDDEN in found
    assert "zzzzzzzz" not in found
    assert shown is None or found == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8080/health",
        "https://shop.example/callbacks/kie",
        "2026-01-02T03:04:05Z",
        "generation 42 done",
        "mail@shop.example",
    ],
)
def test_text_without_secrets_stays(text: str) -> None:
    """Redaction that eats ordinary text would make the log useless."""
    assert Redactor(SECRETS).text(text) == text


def test_nested_values_lose_secrets(stream: io.StringIO) -> None:
    """Keys, lists, mappings and objects inside an event are searched too."""

    class Thing:
        def __repr__(self) -> str:
            return f"<thing of {TOKEN}>"

    structlog.get_logger().info("a.test", deep={KEY: [{"x": (DATABASE, 1)}]}, thing=Thing(), data=TOKEN.encode())
    line = only_line(stream)
    assert line["deep"] == {HIDDEN: [{"x": [HIDDEN, 1]}]}
    assert (line["thing"], line["data"]) == (f"<thing of {HIDDEN}>", f"b'{HIDDEN}'")


def test_values_deeper_than_the_bound_lose_secrets(stream: io.StringIO) -> None:
    """What contains itself is written as one text, without its secret."""
    endless: dict[str, Any] = {"key": KEY}
    endless["self"] = endless
    structlog.get_logger().info("a.test", endless=endless)
    assert KEY not in stream.getvalue()
    assert only_line(stream)["event"] == "a.test"


def fail(message: str, cause: Exception | None = None) -> None:
    raise ValueError(message) from cause


@pytest.mark.parametrize("cause", [None, OSError(f"no {DATABASE} for {CALLBACK}")])
def test_tracebacks_lose_secrets(stream: io.StringIO, cause: Exception | None) -> None:
    """An exception's message, and that of its cause, are searched after they became text."""
    try:
        fail(f"GET https://api.telegram.org/bot{TOKEN}/getMe with {KEY}", cause)
    except ValueError:
        structlog.get_logger().exception("a.test")
    assert "Traceback (most recent call last)" in only_line(stream)["exception"]
    assert [secret for secret in (*SECRETS, "s3cret", "aB-9_zzz") if secret in stream.getvalue()] == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_lines_of_libraries_lose_secrets_and_are_json(stream: io.StringIO, name: str) -> None:
    """A library's own logger ends in the same formatter, its traceback included."""
    try:
        fail(f"cannot reach {DATABASE}")
    except ValueError:
        logging.getLogger(name).exception("request to /bot%s/getMe failed", TOKEN)
    line = only_line(stream)
    assert line["event"] == f"request to /bot{HIDDEN}/getMe failed"
    assert (line["logger"], line["level"]) == (name, "error")
    assert "s3cret" not in stream.getvalue()


def test_line_that_cannot_be_formatted_is_told_without_its_values(stream: io.StringIO) -> None:
    """Logging's own complaint about a broken call would print the values; ours names only who called."""
    set_up_logging("info", SECRETS, stream)  # once more, without the test runner's own handlers
    logging.getLogger("a.library").error("%d tasks", TOKEN)
    assert only_line(stream) == {
        "event": "log.line_lost",
        "level": "error",
        "logger": "a.library",
        "error": "TypeError",
    }


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(28, "No space left on device"), ValueError("closed file")]
)
def test_log_that_cannot_be_written_stops_nobody(error: Exception) -> None:
    """A full disk, a reader that went away, a closed stream: whoever has something to say goes on with their work."""

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise error

    set_up_logging("info", SECRETS, Gone())
    structlog.get_logger().info("generation.settled", state="done")
    logging.getLogger("a.library").error("lost")


def test_each_line_is_one_json_object_with_time_and_level(stream: io.StringIO) -> None:
    """Whatever a value holds, a line stays one line and standard JSON."""
    log = structlog.get_logger()
    log.info("a.test", text='line\nbreak "quoted"', emoji="🖼", infinite=float("inf"), none=None, number=1.5)
    log.warning("another.test")
    first, second = lines(stream)
    assert (first["text"], first["emoji"], first["infinite"]) == ('line\nbreak "quoted"', "🖼", "inf")
    assert (first["none"], first["number"]) == (None, 1.5)
    assert [line["level"] for line in (first, second)] == ["info", "warning"]
    assert first["timestamp"].endswith("Z")


def test_bound_identifiers_are_in_every_line(stream: io.StringIO) -> None:
    """What a job binds once stands in its lines and in those of the libraries that it uses."""
    with structlog.contextvars.bound_contextvars(generation_id=42):
        structlog.get_logger().info("a.test")
        logging.getLogger("a.library").warning("slow")
    structlog.get_logger().info("a.test")
    assert [line.get("generation_id") for line in lines(stream)] == [42, 42, None]


def test_what_one_cause_led_to_is_joined(stream: io.StringIO) -> None:
    """The lines of an update have one correlation id and its customer, those of the next another, later ones none."""
    for update in (1, 2):
        with correlated(update_id=update):
            structlog.get_logger().info("a.test")
            concerns(40 + update)
            logging.getLogger("a.library").warning("slow")
    structlog.get_logger().info("a.test")
    written = lines(stream)
    first, second = written[0]["correlation_id"], written[2]["correlation_id"]
    assert first != second
    assert [line.get("correlation_id") for line in written] == [first, first, second, second, None]
    assert [line.get("customer_id") for line in written] == [None, 41, None, 42, None]
    assert [line.get("update_id") for line in written] == [1, 1, 2, 2, None]


def test_cause_from_elsewhere_is_kept(stream: io.StringIO) -> None:
    """A job has the id of whoever woke it."""
    with correlated("a-cause", act="submit"):
        assert correlation_id() == "a-cause"
        structlog.get_logger().info("a.test")
    assert correlation_id() is None
    assert only_line(stream)["correlation_id"] == "a-cause"


@pytest.mark.parametrize(
    ("form", "where", "is_json"),
    [("json", Terminal, True), ("console", io.StringIO, False), ("auto", Terminal, False), ("auto", io.StringIO, True)],
)
def test_form_is_that_of_the_operator(
    stream: io.StringIO, form: str, where: type[io.StringIO], *, is_json: bool
) -> None:
    """LOG_FORMAT wins over what kind of stream it is; auto looks at the stream."""
    written = where()
    set_up_logging("info", SECRETS, written, form)
    structlog.get_logger().info("a.test", key=KEY)
    assert written.getvalue().startswith("{") is is_json
    assert KEY not in written.getvalue()


def test_level_is_obeyed_and_chatty_libraries_are_quiet(stream: io.StringIO) -> None:
    """Debug lines stay away at info; access logs stay away because their addresses hold tokens."""
    structlog.get_logger().debug("a.test")
    logging.getLogger("uvicorn.access").info("POST %s", CALLBACK)
    logging.getLogger("aiohttp.access").info("POST %s", CALLBACK)
    assert stream.getvalue() == ""


def test_terminal_gets_readable_lines_without_secrets(stream: io.StringIO) -> None:
    """People read a console: no JSON, plain tracebacks without the values of variables, and no secret either."""
    terminal = Terminal()
    set_up_logging("info", SECRETS, terminal)
    try:
        fail(KEY)
    except ValueError:
        structlog.get_logger().exception("a.test", url=f"/bot{TOKEN}/getMe")
    shown = terminal.getvalue()
    assert "a.test" in shown
    assert not shown.startswith("{")
    assert [secret for secret in (*SECRETS, "message = ") if secret in shown] == []
