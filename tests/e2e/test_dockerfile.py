"""The Dockerfile's steps work, and what comes of them is a shop."""

from pathlib import Path

import pytest

from deploy.try_dockerfile import attempt


def test_dockerfile_makes_a_shop(open_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With lent packages: the wheel is built and installed, has no demo, starts, is healthy and ends in order."""
    attempt(open_folder, quick=True)
    said = capsys.readouterr().out
    assert "/ready answers" in said
    assert "the demo is part of the source tree" in said


@pytest.mark.chaos
def test_dockerfile_makes_a_shop_of_what_is_pinned(open_folder: Path) -> None:
    """The same with every package fetched, its hash compared: minutes."""
    attempt(open_folder, quick=False)
