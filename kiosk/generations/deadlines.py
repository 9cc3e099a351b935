"""How long an order may take: in line, at the provider, and how often one that was given up is looked at; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.catalog.model import Model
from kiosk.catalog.vocabulary import Output

# After an order ended with a task that had not: each pause begins with the look before. The provider keeps what it
# made for days; whoever waited two days for a picture wants it no more.
LATE_LOOKS_S: Final = (600.0, 3_600.0, 21_600.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `line_s` from confirmation until the provider is asked, then `run_s` by kind of output.

    So an order ends within the sum of the two, and one that waited in line has its full time at the provider.
    """

    line_s: float
    run_s: Mapping[Output, float]

    def at_provider_s(self, model: Model) -> float:
        """What the catalog says of this model, else what its kind of output is given."""
        return float(model.deadline_s) if model.deadline_s is not None else self.run_s[model.output]
