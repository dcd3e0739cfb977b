"""Decides about one understood command: a rule that covers it, the read-only tables, or the mode."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rein_tui.harness.protocol.decisions import DecidedBy, Outcome, PartDecision, Rule

from .coverage import covering_rule
from .filecommands import file_change
from .filelists import fed_program
from .files import file_use
from .folders import Folders
from .gitforms import git_form_problem, repository_problem
from .pathjudge import PathJudge, worst
from .reader import Command, Redirect
from .readonly import reading_of
from .rulebook import Entry, RuleBook
from .spelling import expanded_words, is_safe_variable, shown
from .stripping import strip_for_allow
from .types import Access, ShellScene


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """One part, decided. `text` is the part as a person reads it; `fix` is the command that a rule could name."""

    text: str
    outcome: Outcome
    reason: str
    decided_by: DecidedBy
    rule: Rule | None = None
    fix: tuple[str, ...] = ()
    path_fix: str = ""
    fixable: bool = False
    changes_files: bool = False

    def told(self) -> PartDecision:
        """As the decision shows it."""
        return PartDecision(text=self.text, outcome=self.outcome, reason=self.reason)


class PartJudge:
    """Decides the parts of one line in order, following the shell from folder to folder."""

    def __init__(self, scene: ShellScene, allow: RuleBook, paths: PathJudge) -> None:
        self.scene = scene
        self.allow = allow
        self.paths = paths
        self.folders = Folders.start(scene)
        self.before: Command | None = None

    def judge(self, command: Command) -> list[PartVerdict]:
        """The command itself, then each of its file targets."""
        self.folders.enter(command.link)
        folders_before = self.folders.copy()
        verdicts = [self._command(command)]
        self.before = command
        verdicts += [
            verdict
            for redirect in command.redirects
            if (verdict := self._redirect(redirect, folders_before)) is not None
        ]
        return verdicts

    # --- redirects

    def _redirect(self, redirect: Redirect, folders: Folders) -> PartVerdict | None:
        if redirect.is_duplication or redirect.is_here:
            return None
        target = redirect.target
        shown = f"{redirect.operator} {target.raw}"
        if target.value == "/dev/null" and target.is_literal:
            return None
        if not target.is_literal or target.is_open:
            return self._asks(shown, f"the target of `{redirect.operator}` cannot be told before it runs", "opaque")
        if target.value.startswith(("/dev/tcp/", "/dev/udp/")):
            return self._asks(shown, "bash would open a network connection", "opaque")
        access = "read" if redirect.operator == "<" else "write"
        if access == "write" and folders.moved:
            return self._asks(shown, "the line changes the folder and then writes a file", "working_directory")
        decision = self.paths.literal(target.value, folders, access)
        if decision.outcome == "allow":
            return PartVerdict(shown, "allow", decision.reason, "working_directory", changes_files=access == "write")
        fix = self.scene.path_suggestion(posixpath.normpath(folders.join(target.value)[0]), access)
        reason = f"the target of `{redirect.operator}`: {decision.reason}"
        return PartVerdict(
            shown, decision.outcome, reason, "working_directory", path_fix=fix, fixable=bool(fix), changes_files=True
        )

    @staticmethod
    def _asks(text: str, reason: str, decided_by: DecidedBy) -> PartVerdict:
        return PartVerdict(text, "ask", reason, decided_by)

    # --- commands

    def _command(self, command: Command) -> PartVerdict:
        text = shown(command)
        if not command.words:
            reason = "it only sets variables" if command.assignments else "it only opens files"
            return self._asks(text, reason, "opaque")
        unknown = next((word.unknown for word in (*command.words, *expanded_words(command)) if word.unknown), "")
        if unknown:
            return self._asks(text, f"it uses {unknown}", "opaque")
        if self.folders.is_lost:
            return self._asks(text, "the folder it runs in cannot be told", "opaque")
        argv = command.values
        stripped = strip_for_allow(argv)
        inner = argv[stripped.skipped :]
        unsafe = next((a.name for a in command.assignments if not is_safe_variable(a.name, a.value.value)), "")
        covered, why_not = covering_rule(self.allow, command, stripped, unsafe)
        moves = inner[0] == "cd" and not unsafe
        if moves:
            return self._cd(command, inner, text, covered)
        if covered:
            globs = frozenset(word.value for word in command.words if word.is_glob)
            return self._under_rule(text, covered, inner, globs)
        if unsafe:
            return PartVerdict(text, "ask", f"`{unsafe}` could change what the command does", "default")
        if stripped.appended:
            return PartVerdict(
                text, "ask", "xargs adds arguments that are not known", "default", fix=inner, fixable=True
            )
        return self._built_in(command, inner, stripped.skipped, text, why_not)

    def _built_in(self, command: Command, inner: tuple[str, ...], skipped: int, text: str, why_not: str) -> PartVerdict:
        if command.words[skipped].is_open and inner[0] != "[":
            return self._asks(text, "the program is not known before it runs", "opaque")
        has_globs = any(word.is_glob for word in command.words[skipped:])
        if inner[0] == "git":
            problem = self._git(inner, has_globs)
            if not problem:
                return PartVerdict(text, "allow", "this form of git only reads", "read_only")
            return PartVerdict(text, "ask", why_not or problem, "default", fix=inner, fixable=False)
        fed = fed_program(self.before, command)
        if fed is not None:
            program, places = fed
            reading = reading_of((*program, *places))
            if reading is not None and not reading.problem:
                return self._reading(command, text, (*places, *reading.paths), places, skipped)
        reading = reading_of(inner)
        if reading is not None and not reading.problem:
            globs = [word.value for word in command.words[skipped:] if word.is_glob]
            if globs and not reading.globs and not (reading.folder_globs and _are_files(globs, reading.paths)):
                return PartVerdict(text, "ask", f"a glob could become an option of `{inner[0]}`", "default", fix=inner)
            return self._reading(command, text, reading.paths, reading.trees, skipped)
        if self.scene.mode == "acceptEdits":
            changed = self._edits(inner, has_globs, text)
            if changed:
                return changed
        reason = why_not or f"`{text}` is not covered by an allow rule"
        if not why_not and reading is not None:
            reason = f"`{text}` is not covered by an allow rule, and {reading.problem}"
        return PartVerdict(text, "ask", reason, "default", fix=inner, fixable=not why_not)

    def _git(self, inner: Sequence[str], has_globs: bool) -> str:
        if has_globs:
            return "a glob could become an option of git"
        problem = git_form_problem(inner[1:])
        if problem:
            return problem
        if self.folders.moved:
            return "the line changes the folder before it runs git"
        words = [word for word in inner[1:] if not word.startswith("-")]
        for word in words[1:]:
            for path in dict.fromkeys((word, word.partition(":")[2])):
                if path and self.scene.guarded and self.paths.literal(path, self.folders, "read").outcome != "allow":
                    return f"`{path}` is a file that a rule guards"
        return repository_problem(self.scene, words[0] if words else "")

    # --- rules

    def _under_rule(self, text: str, covered: Entry, inner: tuple[str, ...], globs: frozenset[str]) -> PartVerdict:
        use = file_use(inner)
        writes = use.writes
        accesses: tuple[tuple[Access, Sequence[str]], ...] = (("read", use.reads), ("covered_write", writes))
        for access, paths in accesses:
            for path in globs.intersection(paths):
                against = self.paths.covered_glob(path, self.folders, access)
                if against is not None:
                    reason = f"`{path}`: {against.reason}"
                    return PartVerdict(text, against.outcome, reason, "protected_path", covered.rule)
        for path in writes:
            decision = self.paths.literal(path, self.folders, "covered_write")
            if decision.outcome != "allow":
                return PartVerdict(
                    text, decision.outcome, f"`{path}`: {decision.reason}", "protected_path", covered.rule
                )
        if self.scene.mode == "plan" and (writes or file_change(inner)):
            return PartVerdict(
                text, "ask", "no files are changed in plan mode", "mode", covered.rule, changes_files=True
            )
        reason = f"`{covered.rule.text}` allows it"
        return PartVerdict(text, "allow", reason, "rule", covered.rule, changes_files=bool(writes))

    # --- files

    def _reading(
        self, command: Command, text: str, paths: Sequence[str], trees: Sequence[str], skipped: int
    ) -> PartVerdict:
        globs = {word.value for word in command.words[skipped:] if word.is_glob}
        decisions: list[tuple[str, PartDecision]] = []
        for path in paths:
            decision = (
                self.paths.glob(path, self.folders) if path in globs else self.paths.literal(path, self.folders, "read")
            )
            decisions.append((path, decision))
        for path in trees:
            guarded = self.paths.tree(path, self.folders)
            if guarded:
                decisions.append((path, guarded))
        hardest = worst(decision for _, decision in decisions)
        if hardest is None or hardest.outcome == "allow":
            return PartVerdict(text, "allow", f"`{command.values[skipped]}` only reads", "read_only")
        path = next(path for path, decision in decisions if decision is hardest)
        absolute = posixpath.normpath(self.folders.join(path)[0])
        fix = self.scene.path_suggestion(absolute, "read") if path not in globs else ""
        return PartVerdict(text, hardest.outcome, hardest.reason, "working_directory", path_fix=fix, fixable=bool(fix))

    def _edits(self, inner: tuple[str, ...], has_globs: bool, text: str) -> PartVerdict | None:
        change = file_change(inner)
        if change is None:
            return None
        if change.problem or has_globs:
            reason = change.problem or "it is not certain which files the glob means"
            return PartVerdict(text, "ask", reason, "default", fix=inner, fixable=True)
        if self.folders.moved:
            return self._asks(text, "the line changes the folder and then changes files", "working_directory")
        decisions = [self.paths.literal(path, self.folders, "read") for path in change.reads]
        decisions += [self.paths.literal(path, self.folders, "write") for path in change.writes]
        hardest = worst(decisions)
        if hardest is None or hardest.outcome == "allow":
            return PartVerdict(
                text, "allow", "the mode acceptEdits allows it in the working directories", "mode", changes_files=True
            )
        return PartVerdict(text, hardest.outcome, hardest.reason, "working_directory", changes_files=True)

    def _cd(self, command: Command, inner: tuple[str, ...], text: str, covered: Entry | None) -> PartVerdict:
        targets = None if any(word.is_glob for word in command.words) else self.folders.targets(inner[1:])
        if targets is None:
            return self._asks(text, "where `cd` leads cannot be told", "opaque")
        decision = worst([self.paths.check(target, "read") for target in targets])
        self.folders.change(command, targets)
        if covered:
            return PartVerdict(text, "allow", f"`{covered.rule.text}` allows it", "rule", covered.rule)
        if decision is None or decision.outcome == "allow":
            return PartVerdict(text, "allow", "the folder is inside the working directories", "read_only")
        fix = self.scene.path_suggestion(targets[0], "read")
        return PartVerdict(
            text, decision.outcome, decision.reason, "working_directory", path_fix=fix, fixable=bool(fix)
        )


def _are_files(globs: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether all globs stand where files do, and what they become begins with a folder: so it is no option."""
    folders = (re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*/[^/]*|\./.*", glob) for glob in globs)
    return all(folders) and all(list(paths).count(glob) >= list(globs).count(glob) for glob in globs)
