"""Figures as a table in Markdown, and what they were measured on."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

MEMORY = Path("/proc/meminfo")


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns stand below each other."""
    table = [headings, ["---"] * len(headings), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    lines = [
        "| "
        + " | ".join(
            (cell if set(cell) != {"-"} else "-" * width).ljust(width) for cell, width in zip(row, widths, strict=True)
        )
        + " |"
        for row in table
    ]
    return "\n".join(lines)


def machine(postgres: str) -> str:
    """One sentence on where and how it was measured; the load says whether anybody else was at work."""
    memory = next((line.split()[1] for line in _lines(MEMORY) if line.startswith("MemTotal")), "0")
    return (
        f"{os.cpu_count()} cores, {int(memory) / 2**20:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, PostgreSQL {postgres} with fsync on, everything on this one machine; "
        f"load before: {os.getloadavg()[0]:.1f} of {os.cpu_count()}."
    )


def ratio(value: float, base: float) -> str:
    return f"× {value / base:.2f}"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines() if path.exists() else []
