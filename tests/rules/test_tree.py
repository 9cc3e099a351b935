"""No file of the tree holds a secret, a path of somebody's machine, or the address that packages came from."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", ".demo", "data", "dist", "out", "__pycache__"}
LONG = "Ab0" * 20

# Each with a text that it must find; put together here, so that this file does not hold one.
SECRETS = {
    r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b": "123456789:" + LONG[:35],
    r"-----BEGIN [A-Z ]*PRIVATE KEY": "-----BEGIN RSA " + "PRIVATE KEY",
    r"\bAKIA[0-9A-Z]{16}\b": "AKIA" + "B" * 16,
    r"\bgh[oprsu]_[A-Za-z0-9]{36}\b": "ghp" + "_" + LONG[:36],
    r"\bgithub_pat_[A-Za-z0-9_]{22,}": "github" + "_pat_" + LONG[:22],
    r"\bsk-[A-Za-z0-9_-]{20,}": "sk-" + LONG[:20],
    r"\brnd_[A-Za-z0-9]{20,}": "rnd" + "_" + LONG[:20],
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}": "xox" + "b-" + LONG[:10],
    r"\bAIza[A-Za-z0-9_-]{35}\b": "AIza" + LONG[:35],
    r"\b(?:live|test)_(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{43}\b": "live" + "_" + LONG[:43],
    r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.": "eyJ" + LONG[:15] + ".eyJ" + LONG[:15] + ".",
    r"(?i)(?:key|token|secret|password|bearer)['\"]?\s*[:=]?\s*['\"]?[0-9a-f]{32}\b": "api_" + "key = '" + "0f" * 16,
}
# Invented by tests in the form of the provider's keys, to see that such a form is noticed.
INVENTED = {"4d2f8a6b0c1e4f7a9b3d5c7e9f1a2b3c"}
PATHS = {
    r"(?<![\w.~-])/(?:work|root|home|Users|opt)/[\w.-]+": "/wo" + "rk/main",
    r"\b[A-Z]:\\+Users\b": "C:" + "\\Users",
}
REGISTRIES = {
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|crates)\.(?:org|com|io)\b": "py" + "pi.org",
    r"://[^\s/]*\b(?:artifactory|nexus|registry|mirror|pypi|npm)\b[^\s/]*/": "https://" + "registry.example/simple",
    r"\bfile:///[\w-]+/\w*py" + r"pi": "file:///somewhere/" + "pypi",
}


@cache
def texts() -> dict[str, str]:
    """Every text file of the tree by its name."""
    found = {}
    for path in files():
        content = path.read_bytes()
        if b"\x00" not in content:
            found[str(path.relative_to(ROOT))] = content.decode(errors="replace")
    return found


def files() -> Iterator[Path]:
    """What git keeps; without git, what is there."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git there is
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        paths = [ROOT / name for name in listed.stdout.decode().split("\x00") if name]
    else:
        paths = list(ROOT.rglob("*"))
    yield from (path for path in paths if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts))


def places(patterns: dict[str, str]) -> list[str]:
    """Where one of the patterns is found; the text itself is not repeated."""
    compiled = [re.compile(pattern) for pattern in patterns]
    return [
        f"{name}:{number}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(pattern.search(line) for pattern in compiled) and not any(word in line for word in INVENTED)
    ]


def test_tree_holds_no_secret() -> None:
    """Nothing that looks like a live token, key or password of anything."""
    assert places(SECRETS) == []


def test_tree_names_no_path_of_a_machine() -> None:
    """What works here works anywhere."""
    assert places(PATHS) == []


def test_tree_names_no_package_registry() -> None:
    """Where packages come from is decided by whoever installs."""
    assert places(REGISTRIES) == []


@pytest.mark.parametrize(("pattern", "sample"), [*SECRETS.items(), *PATHS.items(), *REGISTRIES.items()])
def test_each_pattern_finds_its_sample(pattern: str, sample: str) -> None:
    """A pattern that finds nothing would guard nothing."""
    assert re.search(pattern, f"x = '{sample}'\n")


def test_tree_is_looked_at() -> None:
    """The list of files is the real one."""
    assert {"README.md", "pyproject.toml", "kiosk/cli.py", ".env.example"} <= texts().keys()
