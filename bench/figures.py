"""One measured figure beside what it is measured against. Ratios hold across machines, seconds do not."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; `against` is a baseline of the same run, or a fixed aim; `most` the ratio to stay under."""

    name: str
    value: float
    unit: str
    against: float
    most: float = 1.0

    @property
    def ratio(self) -> float:
        """How many times what it is measured against."""
        return self.value / self.against if self.against else float("inf")

    @property
    def is_met(self) -> bool:
        """Whether it stays under its aim."""
        return self.ratio <= self.most


def tell(figures: Sequence[Figure], as_json: bool = False) -> None:
    """Print them: a table, or JSON for the runner."""
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures]))
        return
    width = max((len(figure.name) for figure in figures), default=0)
    print(f"{'':{width}}  {'measured':>14}  {'against':>14}  ratio   aim  verdict")
    for figure in figures:
        print(
            f"{figure.name:{width}}  {figure.value:>9,.2f} {figure.unit:4}  {figure.against:>9,.2f} {figure.unit:4}"
            f"  {figure.ratio:5.2f}  {figure.most:4.2f}  {'met' if figure.is_met else 'MISSED'}"
        )
