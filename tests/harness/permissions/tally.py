"""Score decisions against a corpus: unsafe, friction, misses."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Tally:
    """Counts of one file."""

    name: str
    total: int = 0
    allow_only: int = 0
    unsafe: list[str] = field(default_factory=list[str])
    friction: list[str] = field(default_factory=list[str])
    misses: list[str] = field(default_factory=list[str])

    def score(self, case: dict[str, Any], outcome: str, reason: str = "") -> None:
        self.total += 1
        line = f"{case['id']}: {outcome}, expected {case['expect']} ({reason})"
        if outcome in case["never"]:
            self.unsafe.append(line)
        if case["accept"] == ["allow"]:
            self.allow_only += 1
            if outcome != "allow":
                self.friction.append(line)
        if outcome not in case["accept"]:
            self.misses.append(line)

    def report(self) -> None:
        print(
            f"\n{self.name}: {self.total} cases, {len(self.unsafe)} unsafe, "
            f"{len(self.friction)} friction, {len(self.misses)} misses"
        )
        for line in self.misses:
            print("  " + line)

    def must_hold(self, capsys: pytest.CaptureFixture[str]) -> None:
        with capsys.disabled():
            self.report()
        assert not self.unsafe
        assert len(self.friction) <= 0.02 * max(1, self.allow_only), self.friction


def lines(path: Path) -> Iterator[str]:
    yield from (line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def cases(path: Path) -> Iterable[dict[str, Any]]:
    return [json.loads(line) for line in lines(path)]
