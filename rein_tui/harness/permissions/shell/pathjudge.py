"""Judges the files that a command names: joined to the folder the shell is in, globs followed."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from rein_tui.harness.protocol.decisions import PartDecision

from .folders import Folders
from .globs import globs_meet
from .types import Access, ShellScene

_GLOB = re.compile(r"[*?\[]")
_RANK = {"allow": 0, "ask": 1, "deny": 2}
_MAX_NAMES = 1000
_MAX_PATHS = 400


def worst(decisions: Iterable[PartDecision]) -> PartDecision | None:
    """The strictest decision, the first of equals; None when there is none."""
    found: PartDecision | None = None
    for decision in decisions:
        if found is None or _RANK[decision.outcome] > _RANK[found.outcome]:
            found = decision
    return found


class PathJudge:
    """Path decisions for one line, remembered."""

    def __init__(self, scene: ShellScene) -> None:
        self.scene = scene
        self._known: dict[tuple[str, Access], PartDecision] = {}

    def check(self, path: str, access: Access) -> PartDecision:
        """One absolute path."""
        key = (path, access)
        if key not in self._known:
            self._known[key] = self.scene.path_check(path, access)
        return self._known[key]

    def literal(self, path: str, folders: Folders, access: Access) -> PartDecision:
        """One path as written, from every folder that the shell may be in."""
        decisions = [self.check(joined, access) for joined in folders.join(path)]
        return worst(decisions) or PartDecision(text=path, outcome="ask", reason=f"where {path} is cannot be told")

    def glob(self, pattern: str, folders: Folders) -> PartDecision:
        """A glob that a program reads: its folder, what it means now, and what it might mean."""
        decisions: list[PartDecision] = []
        for joined in folders.join(pattern):
            decisions.extend(self._one_glob(joined, pattern))
        return worst(decisions) or PartDecision(text=pattern, outcome="allow", reason="nothing matches it")

    def _one_glob(self, joined: str, pattern: str) -> list[PartDecision]:
        parts = joined.split("/")
        first = next((index for index, part in enumerate(parts) if _GLOB.search(part)), len(parts))
        if ".." in parts[first:]:
            return [PartDecision(text=pattern, outcome="ask", reason=f"where `{pattern}` leads cannot be told")]
        folder = "/".join(parts[:first]) or "/"
        guard: list[PartDecision] = []
        if any(globs_meet(posixpath.normpath(joined), guarded) for guarded in self.scene.guarded):
            reason = f"`{pattern}` may reach a file that a rule guards"
            guard.append(PartDecision(text=pattern, outcome="ask", reason=reason))
        expanded = self._expand(folder, parts[first:])
        if expanded is None:
            return [PartDecision(text=pattern, outcome="ask", reason=f"`{pattern}` means too many files to check")]
        return [*guard, *(self.check(path, "read") for path in (folder, *expanded))]

    def _expand(self, folder: str, parts: Sequence[str]) -> list[str] | None:
        """The files that a glob means just now; None when they are too many."""
        found = [folder]
        for part in parts:
            following: list[str] = []
            for place in found:
                if not _GLOB.search(part):
                    following.append(posixpath.join(place, part))
                    continue
                names = self.scene.folder_names(place, _MAX_NAMES)
                if names is None:
                    return None
                following.extend(posixpath.join(place, name) for name in names if _name_matches(name, part))
            found = following
            if len(found) > _MAX_PATHS:
                return None
        return found

    def covered_glob(self, pattern: str, folders: Folders, access: Access) -> PartDecision | None:
        """What stands against a glob in a command that an allow rule covers: rules about what it means or might mean,
        and for writing whatever keeps a file that it means from being written. None when nothing does."""
        for joined in folders.join(pattern):
            parts = joined.split("/")
            first = next((index for index, part in enumerate(parts) if _GLOB.search(part)), len(parts))
            expanded = self._expand("/".join(parts[:first]) or "/", parts[first:])
            if expanded is None:
                return PartDecision(text=pattern, outcome="ask", reason="it means too many files to check")
            against = worst([self.check(path, access) for path in expanded])
            if against is not None and (against.outcome == "deny" or (access != "read" and against.outcome == "ask")):
                return against
            if access == "read" and any(globs_meet(posixpath.normpath(joined), one) for one in self.scene.guarded):
                return PartDecision(text=pattern, outcome="ask", reason="it may reach a file that a rule guards")
        return None

    def tree(self, path: str, folders: Folders) -> PartDecision | None:
        """A folder whose whole content is printed: None unless a rule guards something below it."""
        for joined in folders.join(path):
            spellings = {posixpath.normpath(joined), self.scene.facts.realpath(joined)}
            for guarded in self.scene.guarded:
                if any(globs_meet(spelling + "/**", guarded) for spelling in spellings):
                    reason = f"searching `{path}` may read a file that a rule guards"
                    return PartDecision(text=path, outcome="ask", reason=reason)
        return None


def _name_matches(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return fnmatchcase(name, part.replace("[^", "[!"))
