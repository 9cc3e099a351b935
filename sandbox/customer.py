"""Plays a customer against the stand-in for Telegram: writes, presses buttons, and waits for what the bot does."""

import asyncio
import io
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiohttp

POLL_S = 20
REQUEST_TIMEOUT_S = 30
_SEEN_IN_MESSAGE = 5

Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 - the name states the fact
    """The stand-in would not do it: 400 for a wrong request, 409 for something a client does not let one do."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class NothingHappened(Exception):  # noqa: N818 - the name states the fact
    """What was waited for did not come in time; `seen` is what came instead."""

    def __init__(self, timeout_s: float, seen: Sequence[Any]) -> None:
        super().__init__(f"nothing fitting within {timeout_s} s; last seen: {list(seen)[-_SEEN_IN_MESSAGE:]}")
        self.seen = seen


class Customer:
    """One customer in the chat with one bot; `bot_id` may be left out while there is only one bot.

    Of a long chat only the last `looks_at` messages are ever looked at.

    Messages and events are the JSON of the customer's side: a message has `message_id`, `from`, `text`, `html`,
    `media`, `inline_keyboard`, ...; an event has `seq`, `type` and, for "message" and "edit", `message`.
    """

    def __init__(self, base_url: str, user_id: int, bot_id: int | None = None, *, looks_at: int = 200) -> None:
        self._looks_at = looks_at
        self._base = base_url.rstrip("/")
        self._user_id = user_id
        self._bot: Json = {} if bot_id is None else {"bot": bot_id}
        self._seq = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """From here on events are waited for; earlier ones are passed over."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S))
        try:
            self._seq = int((await self.chat())["seq"])
        except Refused:
            # The bot has not called yet: there is nothing to pass over.
            self._seq = 0
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send_text(self, text: str) -> Json:
        """Writes; gives the message."""
        return dict((await self._post("text", {"text": text}))["message"])

    async def click(self, message_id: int, data: str | None = None, *, text: str | None = None) -> str:
        """Presses a button by its data, or by its text; gives the callback query's id."""
        what = {"data": data} if data is not None else {"text": text}
        return str((await self._post("click", {"message_id": message_id, **what}))["callback_query_id"])

    async def send_media(
        self,
        kind: str,
        data: bytes,
        *,
        name: str = "file",
        mime_type: str = "application/octet-stream",
        caption: str = "",
        album: str | None = None,
    ) -> Json:
        """Sends a file as photo, document, video, voice, audio, animation, video_note or sticker; gives the message."""
        form = aiohttp.FormData(quote_fields=False)
        for field, value in {**self._bot, "caption": caption, "album": album or ""}.items():
            form.add_field(field, str(value))
        form.add_field(kind, io.BytesIO(data), filename=name, content_type=mime_type)
        return dict((await self._json("POST", "media", data=form))["messages"][0])

    async def delete(self, message_id: int) -> None:
        """Deletes a message for both sides."""
        await self._post("delete", {"message_id": message_id})

    async def block(self, *, blocked: bool = True) -> None:
        """Blocks the bot, or lets it write again."""
        await self._post("block", {"blocked": blocked})

    async def pay(self, message_id: int) -> Json:
        """Pays an invoice; gives `status`: paid, declined or expired, and `error` with what the bot said."""
        return await self._post("pay", {"message_id": message_id})

    async def chat(self) -> Json:
        """The whole chat: `messages`, `reply_keyboard`, `blocked`, `bot`, `user`, `seq`."""
        return await self._json("GET", "chat", params={**self._bot, "limit": self._looks_at})

    async def download(self, url: str) -> bytes:
        """The bytes of a message's media, by its `url`; raises Refused when there is no such file."""
        async with self._http.get(self._base + url) as response:
            if response.status != 200:
                raise Refused(response.status, url)
            return await response.read()

    async def wait_for(self, predicate: Callable[[Json], bool], timeout_s: float = 10) -> Json:
        """The next event that fits; those before it are passed over. Raises NothingHappened."""
        seen: list[Json] = []
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for event in await self._events():
                        self._seq = event["seq"]
                        seen.append(event)
                        if predicate(event):
                            return event
        except TimeoutError:
            raise NothingHappened(timeout_s, seen) from None

    async def wait_until(self, predicate: Callable[[Json], bool], timeout_s: float = 10) -> Json:
        """The newest message that fits, now or later; good for messages that are edited in place. NothingHappened."""
        seen: list[Json] = []
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    chat = await self.chat()
                    seen = chat["messages"]
                    found = next((message for message in reversed(seen) if predicate(message)), None)
                    if found is not None:
                        return dict(found)
                    await self._json("GET", "events", params={**self._bot, "after": chat["seq"], "timeout": POLL_S})
        except TimeoutError:
            raise NothingHappened(timeout_s, seen) from None

    async def _events(self) -> list[Json]:
        answer = await self._json("GET", "events", params={**self._bot, "after": self._seq, "timeout": POLL_S})
        if answer["reset"]:
            self._seq = answer["seq"]
        return list(answer["events"])

    async def _post(self, act: str, fields: Json) -> Json:
        return await self._json("POST", act, json={**self._bot, **fields})

    async def _json(self, method: str, act: str, **request: Any) -> Json:
        address = f"{self._base}/customer/{self._user_id}/{act}"
        async with self._http.request(method, address, **request) as response:
            body: Json = await response.json()
            if response.status != 200:
                raise Refused(response.status, body.get("error", ""))
            return body

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the customer in `async with`")
        return self._session
