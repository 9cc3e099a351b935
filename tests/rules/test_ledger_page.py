"""docs/ledger.md tells the same claims as the audit proves."""

import re
from pathlib import Path

from kiosk.ledger.audit import INVARIANTS

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"


def test_page_lists_every_invariant_with_its_claim() -> None:
    """Whoever reads an alarm's name on the page reads what the query checks."""
    claims = {invariant.name: invariant.claim for invariant in INVARIANTS}
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: claim for name, claim in rows if name in claims} == claims


def test_claims_are_sentences() -> None:
    """A claim is told to people: one sentence, nothing else."""
    assert [i.name for i in INVARIANTS if not re.fullmatch(r"[A-Z][^\n]+[.]", i.claim)] == []
