"""Carries out the Dockerfile without Docker: its steps in temporary folders, then the shop on stand-ins.

Every path of the image lies below a folder of its own. What only root in a container can do (making a user) is left
out and said. `--quick` takes the installed packages of this Python in place of the pinned ones, and installs the shop
itself as the Dockerfile does.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from deploy import dockerfile
from deploy.dockerfile import Stage, Step
from sandbox.kie import KieSandbox
from sandbox.shopkeeper import BOT_TOKEN, KIE_KEY, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox

ROOT: Final = Path(__file__).resolve().parent.parent
# A path of the image: at the beginning of a word, after a quote, a colon or an equals sign.
ABSOLUTE: Final = re.compile(r"(?<![\w./$}-])/(?=(app|src|data)\b)")
ONLY_ROOT: Final = ("groupadd", "useradd", "apt-get")
PINNED: Final = re.compile(r"/app/bin/pip install --require-hashes .*")
PATIENCE_S: Final = 300.0
LOOK_S: Final = 0.2


class TryFailed(Exception):  # noqa: N818 - it states a fact
    """A step failed; the message holds what it said."""


@dataclass
class Image:
    """The tree of the stage at hand, and of those before it by name."""

    folder: Path
    quick: bool
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    earlier: dict[str, Path] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "image"

    def inside(self, text: str) -> str:
        """The same with every path of the image below our folder."""
        return ABSOLUTE.sub(f"{self.root}/", text)

    def begin(self, stage: Stage) -> None:
        """Every stage has the same paths, as in a container: what came before is moved aside."""
        self.env, self.workdir = {"PATH": os.defpath}, "/"
        self.root.mkdir()
        if not stage.base.startswith("python:3."):
            raise TryFailed(f"no Python in {stage.base}")

    def end(self, stage: Stage) -> None:
        kept = self.folder / f"stage-{len(self.earlier)}"
        self.root.rename(kept)
        self.earlier[stage.name] = kept

    def take(self, step: Step) -> None:
        """One step; what only tells the outside something is none of ours."""
        match step.word:
            case "RUN":
                self._run(step.value)
            case "COPY":
                self._copy(step)
            case "WORKDIR":
                self.workdir = step.value
                self._at(step.value).mkdir(parents=True, exist_ok=True)
            case "ENV":
                self.env |= dockerfile.settings(step.value, self.env)
            case "USER" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                pass
            case other:
                raise TryFailed(f"nobody here knows {other}")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a program in the image sees, and the Python that the base would have brought."""
        told = {name: self.inside(value) for name, value in self.env.items()}
        base = Path(getattr(sys, "_base_executable", sys.executable)).parent
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HOME", "TMPDIR"))}
        return {**kept, **told, "PATH": f"{told['PATH']}:{base}", **(more or {})}

    def _run(self, line: str) -> None:
        if line.startswith(ONLY_ROOT):
            print(f"  left out: {line}")
            return
        print(f"  RUN {line}", flush=True)
        if self.quick and PINNED.search(line):
            line = PINNED.sub("true", line)
        done = subprocess.run(  # noqa: S603 - our own Dockerfile
            ["/bin/sh", "-ec", self.inside(line)],
            cwd=self._at(self.workdir),
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TryFailed(f"RUN {line}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        if self.quick and "venv /app" in line:
            self._lend_packages()

    def _lend_packages(self) -> None:
        """A path file stands in for what would have been installed."""
        (site,) = self._at("/app").glob("lib/python*/site-packages")
        ours = [path for path in sys.path if path.endswith("site-packages")]
        (site / "lent.pth").write_text("\n".join(ours))

    def _copy(self, step: Step) -> None:
        *sources, target = step.value.split()
        stage = step.options.get("from")
        place = self._at(target)
        for source in sources:
            found = self.earlier[stage] / source.lstrip("/") if stage else ROOT / source
            if found.is_dir():
                shutil.copytree(found, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, place)

    def _at(self, path: str) -> Path:
        return self.root / Path("/", self.workdir, path).relative_to("/")


async def start(image: Image, stage: Stage) -> None:
    """The image's own command on stand-ins: its health check passes, and SIGTERM ends it with 0. Errors: TryFailed."""
    words = dockerfile.command(stage.last("ENTRYPOINT")) + dockerfile.command(stage.last("CMD"))
    port = free_port()
    log = image.folder / "log"
    async with TelegramSandbox(TelegramOptions()) as telegram, KieSandbox() as kie:
        settings = {
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        env = image.environment(settings)
        cwd = image.root / stage.last("WORKDIR").lstrip("/")
        with log.open("wb") as output:
            shop = await asyncio.create_subprocess_exec(
                *_found(words, env), cwd=cwd, env=env, stdout=output, stderr=output
            )
        try:
            await _until_ready(shop, port, log)
            health = dockerfile.command(stage.last("HEALTHCHECK"))
            checking = await asyncio.create_subprocess_exec(*_found(health, env), cwd=cwd, env=env)
            if await checking.wait():
                raise TryFailed("the health check of a running shop fails")
            shop.send_signal(signal.SIGTERM)
            if await asyncio.wait_for(shop.wait(), PATIENCE_S):
                raise TryFailed(f"told to end, it ended with {shop.returncode}")
        finally:
            if shop.returncode is None:
                shop.kill()
                await shop.wait()


async def _until_ready(shop: asyncio.subprocess.Process, port: int, log: Path) -> None:
    """/live answers at once, /ready when the shop is open. Errors: TryFailed."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_S):
        for path in ("live", "ready"):
            while not await _answers(session, f"http://127.0.0.1:{port}/{path}"):
                if shop.returncode is not None:
                    raise TryFailed(f"it ended before /{path}:\n{await asyncio.to_thread(log.read_text)}")
                await asyncio.sleep(LOOK_S)
            print(f"  /{path} answers", flush=True)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200  # noqa: PLR2004 - the one that says yes
    except aiohttp.ClientError:
        return False


def _found(words: list[str], env: Mapping[str, str]) -> list[str]:
    """With the program looked up on the image's PATH. Errors: TryFailed."""
    program = shutil.which(words[0], path=env["PATH"])
    if program is None:
        raise TryFailed(f"the image has no {words[0]}")
    return [program, *words[1:]]


def attempt(folder: Path, *, quick: bool) -> None:
    """The whole Dockerfile in this folder. Errors: TryFailed."""
    image, stages = Image(folder, quick), dockerfile.read((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    for stage in stages:
        print(f"FROM {stage.base} {stage.name}")
        image.begin(stage)
        for step in stage.steps:
            image.take(step)
        if stage is not stages[-1]:
            image.end(stage)
    _say(image, "version", code=0, told=version())
    _say(image, "demo", code=2, told="the demo is part of the source tree")
    asyncio.run(start(image, stages[-1]))


def version() -> str:
    """What the source says of itself."""
    (found,) = re.findall(r'__version__ = "(.+)"', (ROOT / "kiosk" / "__init__.py").read_text(encoding="utf-8"))
    return str(found)


def _say(image: Image, command: str, *, code: int, told: str) -> None:
    """A command that needs nothing ends like this. Errors: TryFailed."""
    env = image.environment()
    done = subprocess.run(  # noqa: S603 - the image's own
        _found(["kiosk", command], env), cwd=image.folder, env=env, capture_output=True, text=True, check=False
    )
    if (done.returncode, told in done.stdout + done.stderr) != (code, True):
        raise TryFailed(f"kiosk {command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    print(f"  kiosk {command}: {(done.stdout + done.stderr).strip()}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="try_dockerfile", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="lend the packages of this Python to the image")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="kiosk-image-") as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL is another user, who walks through
        try:
            attempt(Path(folder), quick=quick)
        except TryFailed as failed:
            sys.exit(f"The Dockerfile does not work: {failed}")
    print("The Dockerfile works.")


if __name__ == "__main__":
    main()
