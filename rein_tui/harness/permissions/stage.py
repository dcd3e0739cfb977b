"""Where decisions are made: rules in force, folders and facts, joined into the scene of one call."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Mode, Rule
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.layers import Settings

from .book import Ground, RuleBook
from .facts import Disk, Facts
from .files import PathScene
from .layers import additional_directories, bases, flag_rules, rules_in_force
from .rules import read_rules
from .tool_names import KNOWN

LINK_MEMORY = 1.0
"""Seconds for which the real places of rules' folders are remembered."""


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What the command line says about permissions, and where the world is seen from (tests, policy cases).

    `mode` empty means the settings' defaultMode. `folds` true: names of any case are the same file. `clock` gives
    epoch seconds, `ticks` monotonic seconds. `tool_names` are the tools that exist, for wildcards that remove them.
    `is_harmless` looks whether trusting the folder would enable nothing, so that nobody has to be asked about it.
    """

    mode: Mode | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Disk)
    folds: bool = False
    clock: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    tool_names: Callable[[], Iterable[str]] = lambda: KNOWN
    is_harmless: Callable[[], bool] = lambda: False


class Stage:
    """What one state of settings and grants makes of the world. Rebuilt when either changes."""

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        places: Places,
        options: PolicyOptions,
        granted: Iterable[Rule] = (),
    ) -> None:
        self._settings = settings
        self._workspace = workspace
        self._places = places
        self._options = options
        self.managed_rules_only = bool(settings.get("allowManagedPermissionRulesOnly", default=False))
        more = () if self.managed_rules_only else tuple(granted)
        self.rules, self.notices = rules_in_force(settings, (*flag_rules(options.allow, options.deny), *more))
        self._books: dict[tuple[Rule, ...], RuleBook] = {}
        self.bases = bases(settings, str(workspace.root))
        self._extra_roots = additional_directories(settings, str(workspace.home))

    def scene(self, cwd: str, mode: Mode, frontmatter: tuple[Rule, ...] = (), checkout: str = "") -> PathScene:
        """The scene of one call; in a `checkout` of the project this stands where the project's folder stood."""
        space = self._workspace
        root = checkout or str(space.root)
        bases = {path: root if base == str(space.root) else base for path, base in self.bases.items()}
        ground = Ground(cwd or root, root, str(space.home), bases if checkout else self.bases, self._options.folds)
        roots = dict.fromkeys((root, *map(str, space.additional), *self._extra_roots))
        facts = self._options.facts
        return PathScene(
            book=self._book(frontmatter),
            ground=ground,
            facts=facts,
            mode="default" if mode == "dontAsk" else mode,
            roots=tuple(dict.fromkeys((*roots, *(facts.realpath(root) for root in roots)))),
            guarded=self._guarded(),
            epoch=int(self._options.ticks() / LINK_MEMORY),
        )

    def _guarded(self) -> tuple[str, ...]:
        """Our own folders, unless the session itself was started in one of them."""
        own = (self._places.config, self._places.data, self._places.managed)
        return tuple(str(folder) for folder in own if not self._workspace.root.is_relative_to(folder))

    def _book(self, frontmatter: tuple[Rule, ...]) -> RuleBook:
        book = self._books.get(frontmatter)
        if book is None:
            more, _ = read_rules(rule for rule in frontmatter if self._counts(rule))
            book = RuleBook((*self.rules, *more))
            plain = self._books.get(())
            self._books = {frontmatter: book} if plain is None else {(): plain, frontmatter: book}
        return book

    def _counts(self, rule: Rule) -> bool:
        """Whether a frontmatter rule counts: it may always forbid; what it allows needs trust and no lock."""
        if rule.behavior != "allow":
            return True
        if self.managed_rules_only:
            return False
        inside = Path(rule.source.path).is_relative_to(self._workspace.root) if rule.source.path else False
        return self._settings.trusted or not inside
