"""The user's table of moments says what the engine's table says."""

from pathlib import Path

from rein_tui.harness.hooks.points import ALL_HANDLERS, LOCAL_ONLY, NEVER_FIRING, NO_MODEL, POINTS

DOCS = (Path(__file__).parents[3] / "docs/hooks.md").read_text(encoding="utf-8")
NAMES = {ALL_HANDLERS: "all", NO_MODEL: "no model", LOCAL_ONLY: "local"}


def test_every_moment_is_described_as_it_is() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCS.splitlines() if line[:2] == "| "]
    described = {row[0]: row[1:] for row in rows if row[0] in POINTS}
    for point, traits in POINTS.items():
        matcher, handlers, _, on_block, further = described[point]
        assert matcher == (traits.subject or "–")
        assert handlers == NAMES[traits.handlers]
        assert (on_block == "nothing") == (traits.on_block == "ignored")
        assert ("context" in further) == traits.takes_context
        assert ("plain text" in further) == traits.plain_context


def test_moments_that_never_fire_are_listed() -> None:
    assert all(name in DOCS for name in NEVER_FIRING)
