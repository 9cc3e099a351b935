"""`make demo` and `make test` say what is missing, and install exactly what is pinned."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(.*?)\s*\\$", re.MULTILINE)
# Anything that would tell where packages were fetched from.
ADDRESS = re.compile(r"https?://|file:|index-url|find-links", re.IGNORECASE)

needs_make = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def make(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Runs make with nothing on the path but the given folder."""
    assert MAKE
    return subprocess.run(  # noqa: S603 - our own Makefile
        [MAKE, "--no-print-directory", *arguments],
        cwd=ROOT,
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


def program(path: Path, script: str) -> None:
    """Writes a program that stands in for a Python."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def pins(name: str) -> dict[tuple[str, str], str]:
    """Versions of a list by name and condition."""
    return {(pin[1], pin[3]): pin[2] for pin in PIN.finditer((ROOT / name).read_text())}


def wanted(extra: str | None = None) -> set[str]:
    """What pyproject.toml asks for, by bare name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {re.split(r"[<>=!\[ ]", each)[0].replace(".", "-").lower() for each in requirements}


@needs_make
def test_old_python_is_told_in_one_line(tmp_path: Path) -> None:
    """Without Python 3.11 the command says so and makes nothing."""
    program(tmp_path / "python3", "exit 1")
    done = make("demo", f"VENV={tmp_path / 'venv'}", path=tmp_path)
    assert done.returncode != 0
    assert "Kiosk needs Python 3.11 or later" in done.stderr
    assert not (tmp_path / "venv").exists()


@needs_make
def test_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    """When python3 is too old, its newer neighbours are tried by name."""
    program(tmp_path / "python3", "exit 1")
    program(tmp_path / "python3.12", 'test "$2" != "import ensurepip, venv"')
    done = make("test", f"VENV={tmp_path / 'venv'}", path=tmp_path)
    assert done.returncode != 0
    assert "python3.12 cannot make a virtual environment" in done.stderr
    assert "apt install python3-venv" in done.stderr


@needs_make
def test_clean_keeps_the_shop() -> None:
    """Cleaning never touches the folder where an operator's database lives."""
    assert MAKE
    said = subprocess.run([MAKE, "-n", "clean"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own Makefile
    assert ".venv" in said
    assert not re.search(r"(^|\s|/)data(\s|$)", said)


def test_integration_runs_what_everybody_runs() -> None:
    """The continuous integration ends with `make test`, and may be started."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test")


def test_lists_pin_all_that_the_project_asks_for() -> None:
    """Whatever pyproject.toml names is pinned, in the list that its command installs."""
    production = {name for name, _ in pins("requirements.lock")}
    development = {name for name, _ in pins("requirements-dev.lock")}
    assert wanted() | wanted("sandbox") | wanted("build") <= production
    assert wanted("test") <= development


def test_demo_and_tests_run_the_same_versions() -> None:
    """The longer list has every pin of the shorter one: what was tested is what runs."""
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lists_are_hashed_and_name_no_address(name: str) -> None:
    """Every pin has a hash, and the list works with any package index."""
    text = (ROOT / name).read_text()
    assert len(pins(name)) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert ADDRESS.search(text) is None
