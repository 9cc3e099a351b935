"""The stand-in as a whole: its three sites, its parts put together, its state read and written."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from sandbox.faults import Faults
from sandbox.guard import refuse_production
from sandbox.kie import snapshot
from sandbox.kie.account import Account, Window
from sandbox.kie.api import api_app
from sandbox.kie.callbacks import Callbacks
from sandbox.kie.door import KNOWN_FAULTS
from sandbox.kie.files import FileShelf
from sandbox.kie.options import Clock, KieOptions
from sandbox.kie.provider import Provider
from sandbox.kie.results import result_app
from sandbox.kie.tasks import TaskDesk
from sandbox.kie.uploads import upload_app
from sandbox.media import Studio

_LOOPBACK = "127.0.0.1"


class KieSandbox:
    """The provider on three loopback ports: `async with KieSandbox(KieOptions()) as kie: ... kie.api_url`.

    Refuses to start beside production settings. Families with endpoints of their own (Veo, Runway, Suno, 4o Image,
    Flux Kontext, Luma, chat) are not there: they answer a plain HTTP 404.
    """

    def __init__(self, options: KieOptions | None = None) -> None:
        self.options = options or KieOptions()
        self.faults = Faults(self.options.seed, KNOWN_FAULTS)
        self.api_url = self.upload_url = self.result_url = ""
        self._provider: Provider | None = None
        self._runners: list[web.AppRunner] = []

    @property
    def provider(self) -> Provider:
        """The running provider's parts, for tests in the same process."""
        if self._provider is None:
            raise RuntimeError("the provider's stand-in is not running")
        return self._provider

    async def start(self) -> None:
        """Open the three ports and go on with the tasks of `state_dir`, if there are any."""
        refuse_production(os.environ)
        options = self.options
        provider = self._provider = _assembled(options, self.faults)
        try:
            self.result_url = await self._open(result_app(provider), options.result_port, options.result_url)
            provider.desk.result_url = self.result_url
            _restore(provider)
            self.upload_url = await self._open(upload_app(provider), options.upload_port, options.upload_url)
            self.api_url = await self._open(api_app(provider), options.api_port, options.api_url)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the ports, end the background runs and save; raises what went wrong in a background run."""
        while self._runners:
            await self._runners.pop().cleanup()
        provider, self._provider = self._provider, None
        if provider is None:
            return
        try:
            await provider.desk.stop()
            await provider.snapshot.save()
        finally:
            await provider.callbacks.session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _open(self, app: web.Application, port: int, public_url: str | None) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, _LOOPBACK, port).start()
        return (public_url or f"http://{_LOOPBACK}:{runner.addresses[0][1]}").rstrip("/")


def _assembled(options: KieOptions, faults: Faults) -> Provider:
    clock = Clock()
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    account = Account(options.credits, options.key_caps_credits)
    files = FileShelf(options.state_dir / "uploads" if options.state_dir else None)
    callbacks = Callbacks(options, clock, session)
    desk = TaskDesk(options, clock, account, files, callbacks, result_url="")

    def dump() -> dict[str, Any]:
        money = {"balance": account.balance, "spent": account.spent, "used": account.used}
        return {"desk": desk.as_json(), "files": files.as_json(), "account": money}

    desk.snapshot = snapshot.Snapshot(_state_path(options), dump)
    return Provider(
        options=options,
        clock=clock,
        faults=faults,
        account=account,
        files=files,
        callbacks=callbacks,
        desk=desk,
        studio=Studio(picture_pixels=options.picture_pixels),
        snapshot=desk.snapshot,
        creates=Window(options.create_limit, options.create_window_s),
        polls=Window(options.poll_limit_per_s, 1.0),
        discoveries=Window(options.discovery_limit_per_s, 1.0),
    )


def _state_path(options: KieOptions) -> Path | None:
    return options.state_dir / "kie.json" if options.state_dir else None


def _restore(provider: Provider) -> None:
    saved = snapshot.read(_state_path(provider.options))
    if saved is None:
        return
    money = saved["account"]
    provider.account.balance, provider.account.spent = money["balance"], money["spent"]
    provider.account.used.update(money["used"])
    provider.files.restore(saved["files"])
    provider.desk.restore(saved["desk"])
