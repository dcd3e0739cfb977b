"""The list of skills that the model sees: every name always, descriptions as far as the budget goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .words import Definition

FALLBACK = 8_000
"""Characters, where the model's window is not known."""

BRIEF = 600
"""Characters of the list for a small model."""

_A_FEW_WORDS = 80
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """How long the list may be. `fraction` is of the context window; `characters` overrides it when set."""

    fraction: float = 0.01
    longest: int = 1536
    characters: int = 0

    def of(self, window: int) -> int:
        """Characters for a window of that many tokens (0: unknown)."""
        return self.characters or (round(window * self.fraction * _CHARACTERS_A_TOKEN) if window else FALLBACK)


def listing(skills: Sequence[Definition], budget: int, longest: int, used: Mapping[str, int]) -> str:
    """One line for each skill; the least used, and among equals the last, lose their descriptions first."""
    texts = {skill.name: _described(skill, longest) for skill in skills}
    room = budget - sum(len(name) + 3 for name in texts)
    shown: set[str] = set()
    for skill in sorted(skills, key=lambda skill: -used.get(skill.name, 0)):
        cost = len(texts[skill.name]) + 2
        if texts[skill.name] and cost <= room:
            room -= cost
            shown.add(skill.name)
    return "\n".join(f"- {name}: {text}" if name in shown else f"- {name}" for name, text in texts.items())


def brief_listing(skills: Sequence[Definition], used: Mapping[str, int]) -> str:
    """The skills in one line for a small model, those used most first, as many as fit; empty without any."""
    shown: list[str] = []
    room = BRIEF
    for skill in sorted(skills, key=lambda skill: -used.get(skill.name, 0)):
        text = f"{skill.name} ({_described(skill, _A_FEW_WORDS)})" if skill.description else skill.name
        room -= len(text) + 2
        if room < 0:
            break
        shown.append(text)
    more = f" and {len(skills) - len(shown)} more" if len(shown) < len(skills) else ""
    return f"{', '.join(shown)}{more}" if shown else ""


def _described(skill: Definition, longest: int) -> str:
    text = " ".join(f"{skill.description} {skill.when}".split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
