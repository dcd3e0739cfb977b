"""The permission engine: it knows the rules, the folders and the mode, and decides about calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Decision, Grant, Mode, Outcome, PermissionQuery, Rule, Scope, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.layers import Settings
from rein_tui.harness.settings.trust import read_trust, record_trust

from .book import RuleBook
from .calls import judge_call
from .contained import in_sandbox
from .files import hidden
from .grants import Grants
from .overlay import Circumstances, overlay
from .rules import ParsedRule, parse_rule
from .stage import PolicyOptions, Stage
from .suggest import suggestions
from .tool_names import canonical
from .twins import in_project, stricter, twin_of


class Policy:
    """Decides about calls and explains itself: engines.PermissionEngine. Nothing here raises but for bad orders."""

    def __init__(
        self, settings: Settings, workspace: Workspace, places: Places, options: PolicyOptions | None = None
    ) -> None:
        self._workspace = workspace
        self._places = places
        self._options = options or PolicyOptions()
        self._grants = Grants(places, workspace.root, self._options.clock)
        self._wanted: Mode | None = None
        self._contains: Callable[[str], bool] = lambda _: False
        self.problems: tuple[Notice, ...] = ()
        self.use(settings)
        if self._options.mode is not None:
            self.set_mode(self._options.mode)

    def use(self, settings: Settings) -> None:
        """Take over changed settings; the mode that a person chose and the session's grants stay."""
        self.settings = settings
        self._git_may_read = settings.trusted or self._options.is_harmless()
        self._grants.settings_changed()
        self._rebuild()
        self.problems = (*settings.problems, *self._stage.notices)

    def _rebuild(self) -> None:
        self._stage = Stage(self.settings, self._workspace, self._places, self._options, self._grants.rules)

    @property
    def rules(self) -> tuple[ParsedRule, ...]:
        """The rules in force, highest layer first."""
        return tuple(self._stage.rules)

    @property
    def root(self) -> str:
        """The folder where the session started."""
        return str(self._workspace.root)

    @property
    def home(self) -> str:
        """The person's home folder."""
        return str(self._workspace.home)

    def base_of(self, rule: Rule) -> str:
        """The folder that a leading `/` means in that rule."""
        return self._stage.bases.get(rule.source.path, self.root)

    # --- mode ----------------------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        wanted: Mode = self._wanted or self.settings.get("permissions", "defaultMode", default="default")
        return self._possible(wanted)

    @property
    def bypass_forbidden(self) -> bool:
        """Whether policy forbids bypassPermissions."""
        return self.settings.get("permissions", "disableBypassPermissionsMode") == "disable"

    @property
    def managed_rules_only(self) -> bool:
        """Whether only the administrator may allow; then nothing can be granted."""
        return self._stage.managed_rules_only

    def set_mode(self, mode: Mode) -> None:
        """Change the mode. Raises ConfigError for a mode that policy forbids."""
        if mode == "bypassPermissions" and self.bypass_forbidden:
            origin = self.settings.origin("permissions", "disableBypassPermissionsMode")
            raise ConfigError("bypassPermissions is forbidden by settings", where=str(origin or ""))
        self._wanted = mode

    def _possible(self, mode: Mode) -> Mode:
        return "default" if mode == "bypassPermissions" and self.bypass_forbidden else mode

    def contain(self, holds: Callable[[str], bool]) -> None:
        """Say which lines run in a sandbox that keeps them from files and hosts that they should not reach."""
        self._contains = holds

    def _runs_contained(self, query: PermissionQuery) -> bool:
        command = query.input.get("command")
        wanted = self.settings.get("sandbox", "autoAllowBashIfSandboxed", default=True)
        return bool(wanted) and isinstance(command, str) and self._contains(command)

    # --- decisions -----------------------------------------------------------------------------------------

    def decide(self, query: PermissionQuery) -> Decision:
        """The outcome for one call, with reasons. Never raises."""
        decision = self.consider(query)
        if decision.outcome == "allow" and decision.rule is not None:
            self._grants.count(decision.rule)
        return decision

    def consider(self, query: PermissionQuery) -> Decision:
        """The same for a call that nobody makes: no grant counts it as matched. Never raises."""
        decision = self._consider(query)
        twin = in_project(query, self.root)
        return decision if twin is None else stricter(decision, self._consider(twin))

    def _consider(self, query: PermissionQuery) -> Decision:
        tool = canonical(query.tool)
        mode = self._possible(query.mode or self.mode)
        scene = self._stage.scene(query.cwd, mode, query.frontmatter, query.checkout)
        verdict, parts = judge_call(query, tool, scene, self._git_may_read)
        if tool == "Bash" and verdict.outcome == "ask" and self._runs_contained(query):
            verdict = in_sandbox(verdict, scene)
        around = Circumstances(mode, "; ".join(self.settings.broken))
        final = overlay(verdict, query, around)
        return Decision(
            outcome=final.outcome,
            reason=final.reason,
            decided_by=final.decided_by,
            mode=mode,
            rule=final.rule,
            source=final.rule.source if final.rule else None,
            trials=final.trials,
            parts=parts,
            hook_verdicts=query.hook_verdicts,
            suggestions=() if self.managed_rules_only else suggestions(tool, query.input, final, scene),
            warnings=final.warnings,
        )

    def hides(self, path: str, cwd: str = "") -> bool:
        """Whether a deny or ask rule keeps this file out of search results."""
        scene = self._stage.scene(cwd or str(self._workspace.cwd), self.mode)
        return any(hidden(each, scene) for each in dict.fromkeys((path, twin_of(path, self.root))))

    def fits_rule(self, rule: str, tool: str, tool_input: JsonObject) -> bool | None:
        """Whether one rule, read as broadly as an ask rule, fits a call; None when it cannot be read."""
        parsed, notice = parse_rule(Rule(text=rule, behavior="ask", source=Source(layer="hook")))
        if parsed is None or (notice is not None and notice.code == "entry_hardened"):
            return None
        if parsed.kind != "path" and not parsed.names(canonical(tool)):
            return False
        query = PermissionQuery(tool=tool, input=tool_input, cwd=str(self._workspace.cwd))
        scene = replace(self._stage.scene(query.cwd, "default"), book=RuleBook((parsed,)))
        verdict, _ = judge_call(query, canonical(tool), scene, self.settings.trusted)
        return verdict.decided_by == "rule"

    def would_allow(self, rule: str, query: PermissionQuery) -> bool:
        """Whether this allow rule, added to the rules in force, would let a call pass that passes not without it."""
        parsed, _ = parse_rule(Rule(text=rule, behavior="allow", source=Source(layer="session")))
        if parsed is None:
            return False
        now = self._stage.scene(query.cwd, self._possible(query.mode or self.mode))
        scenes = (now, replace(now, book=RuleBook((*self._stage.rules, parsed))))
        verdicts = [judge_call(query, canonical(query.tool), scene, self.settings.trusted)[0] for scene in scenes]
        return [verdict.outcome == "allow" for verdict in verdicts] == [False, True]

    # --- grants --------------------------------------------------------------------------------------------

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What a person granted in this session, with what it matched since."""
        return self._grants.listed

    def grant(self, rules: Sequence[str], scope: Scope, behavior: Outcome = "allow") -> Sequence[Rule]:
        """Let these rules hold from now on, in that scope (written to its file unless session). Raises ConfigError."""
        if behavior == "allow":
            self._check_grantable(scope)
            self._trust_for(scope)
        granted = self._grants.add(rules, scope, behavior)
        self._rebuild()
        return granted

    def _check_grantable(self, scope: Scope) -> None:
        if self.managed_rules_only:
            origin = self.settings.origin("allowManagedPermissionRulesOnly")
            raise ConfigError("only the administrator's rules may allow here", where=str(origin or ""))
        if scope in ("project", "local") and not self.settings.trusted and not self._options.is_harmless():
            raise ConfigError(
                "rules of this folder do not count until you trust it",
                hint="trust the folder, or choose session or user",
            )

    def _trust_for(self, scope: Scope) -> None:
        """Keeping a rule in a folder where nothing else would take effect is trust in that folder, for just that."""
        if scope in ("project", "local") and not self.settings.trusted:
            record_trust(self._places, read_trust(self._places, self._workspace.root))
            self.settings = replace(self.settings, trusted=True)
            self._git_may_read = True

    def place_of(self, scope: Scope) -> tuple[str, str]:
        """The file that grants of this scope are written to, and why nothing may be granted there (or empty)."""
        path = "" if scope == "session" else str(self._grants.file(scope))
        try:
            self._check_grantable(scope)
        except ConfigError as problem:
            return path, problem.message
        return path, ""

    def revoke(self, rule: str, scope: Scope, behavior: Outcome = "allow") -> bool:
        """Take a grant back; false when there was none. Raises ConfigError."""
        found = self._grants.remove(rule, scope, behavior)
        self._rebuild()
        return found

    def removed_tools(self) -> frozenset[str]:
        """Tools that a bare deny rule takes from the model's list."""
        return frozenset(name for name in self._options.tool_names() if self.removes(name))

    def removes(self, tool: str) -> bool:
        """Whether a bare deny rule takes this tool from the model's list."""
        name = canonical(tool)
        return any(
            rule.behavior == "deny" and not rule.spec and rule.pattern is None and rule.names(name)
            for rule in self._stage.rules
        )
