"""Admission: whether a folder's own settings count, and what a person says to files that cannot be read."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..places import Places
from ..protocol.decisions import Option, Question, QuestionRequest
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..protocol.policy import TrustItem, TrustRequest
from ..protocol.ports import Prompter
from ..settings.edit import switch_on
from ..settings.layers import Settings
from ..settings.load import load_settings
from ..settings.trust import TrustReport, read_trust, record_trust
from .wishes import Wishes

_WITHOUT = "Go on without it"
_NEVER_ASK, _NEVER_ASK_AGAIN = "Go on, nothing asks", "Go on, and do not ask me this again"


@dataclass(slots=True)
class Admission:
    """Asks once for each folder and tells the rest through `notices`; `vouched` are folders that we made ourselves."""

    places: Places
    environment: Mapping[str, str]
    prompter: Prompter
    notices: list[Notice]
    vouched: set[Path] = field(default_factory=set[Path])
    _answers: dict[Path, bool] = field(default_factory=dict[Path, bool])
    _refused: set[Path] = field(default_factory=set[Path])
    _ignored: set[str] = field(default_factory=set[str])
    _agreed: bool = False

    async def settings(self, wishes: Wishes) -> Settings:
        """What holds in this folder, once the person was asked all that has to be asked. Raises ConfigError."""
        trusted = await self._admit(wishes)
        settings = await self._understood(self.load(wishes, trusted), wishes, trusted)
        self._warn_of_bypass(wishes, settings)
        return settings

    async def with_mode(self, wishes: Wishes, settings: Settings) -> Wishes:
        """The wishes; where a file would have a session begin without any questions, the person is asked first.

        Who writes the mode on the command line has said so already.
        """
        mode = settings.get("permissions", "defaultMode") if wishes.mode is None else None
        forbidden = settings.get("permissions", "disableBypassPermissionsMode") == "disable"
        agreed = self._agreed or settings.get("skipDangerousModePermissionPrompt", default=False) is True
        if mode != "bypassPermissions" or not wishes.interactive or forbidden or agreed:
            return wishes
        question = Question(
            question="In the mode bypassPermissions commands run and files change without a question.\n"
            "Only for a machine that can be lost, such as a container without a way to the network.",
            header="Mode",
            options=(
                Option(label="Ask as usual", description="Begin in the mode default"),
                Option(label=_NEVER_ASK, description="This once"),
                Option(label=_NEVER_ASK_AGAIN, description="Writes skipDangerousModePermissionPrompt to your settings"),
            ),
        )
        request = QuestionRequest(id=f"mode_{uuid.uuid4().hex[:8]}", questions=(question,), title="Nothing would ask")
        said = set((await self.prompter.question(request)).answers.values())
        self._agreed = bool(said & {_NEVER_ASK, _NEVER_ASK_AGAIN})
        if _NEVER_ASK_AGAIN in said:
            try:
                switch_on(self.places.user_settings, "skipDangerousModePermissionPrompt")
            except ConfigError as problem:
                text = f"It will be asked again: {problem.message}"
                self.notices.append(Notice(level="warning", text=text, where=problem.where, code="settings"))
        return wishes if self._agreed else replace(wishes, mode="default")

    def load(self, wishes: Wishes, trusted: bool) -> Settings:
        """The settings as the files are now. Raises ConfigError."""
        sources = wishes.sources
        return load_settings(
            self.places, wishes.root, extra=wishes.settings, sources=sources, trusted=trusted, ignore=self._ignored
        )

    def is_trusted(self, wishes: Wishes) -> bool:
        """Whether the folder is trusted as its files are now; asks nobody."""
        return wishes.trust or wishes.root in self.vouched or read_trust(self.places, wishes.root).trusted

    def was_refused(self, wishes: Wishes) -> bool:
        """Whether the person was asked about the folder and said no."""
        return wishes.root in self._refused

    def was_admitted(self, root: Path) -> bool:
        """Whether the folder was trusted when a session began there."""
        return self._answers.get(root, False)

    async def _understood(self, settings: Settings, wishes: Wishes, trusted: bool) -> Settings:
        """Settings that could be read; a person may go on without a file that could not."""
        if not settings.broken or not wishes.interactive:
            return settings
        for path, reason in settings.broken.items():
            question = Question(
                question=f"{path} could not be understood:\n{reason}",
                header="Settings",
                options=(
                    Option(label="Keep its place", description="Nothing is approved without you until it is corrected"),
                    Option(label=_WITHOUT, description="Also its deny and ask rules do not hold in this session"),
                ),
            )
            request = QuestionRequest(
                id=f"settings_{uuid.uuid4().hex[:8]}", questions=(question,), title="A settings file is broken"
            )
            if _WITHOUT in (await self.prompter.question(request)).answers.values():
                self._ignored.add(path)
        return self.load(wishes, trusted) if self._ignored else settings

    def _warn_of_bypass(self, wishes: Wishes, settings: Settings) -> None:
        """Root without a sandbox and without questions is said out loud; containers made for this set IS_SANDBOX=1."""
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        sandboxed = settings.get("sandbox", "enabled", default=False) or self.environment.get("IS_SANDBOX") == "1"
        if wishes.mode == "bypassPermissions" and is_root and not sandboxed:
            text = "You are root, nothing asks (bypassPermissions) and there is no sandbox."
            hint = "Use another user or mode, or turn the sandbox on."
            self.notices.append(Notice(level="warning", text=text, hint=hint, code="bypass_root"))

    async def _admit(self, wishes: Wishes) -> bool:
        """Whether this folder's own settings count; asks the person once where something would be enabled."""
        if wishes.trust or wishes.root in self.vouched:
            return True
        if wishes.root not in self._answers:
            report = read_trust(self.places, wishes.root)
            said = report.trusted or await self._ask_trust(report, wishes)
            if said is None:
                return False
            self._answers[wishes.root] = said
        return self._answers[wishes.root]

    async def _ask_trust(self, report: TrustReport, wishes: Wishes) -> bool | None:
        """What the person says; None when nobody was there, so that whoever comes next is asked."""
        if not report.items:
            return False
        if not wishes.interactive:
            self.notices.append(
                Notice(
                    level="warning",
                    text=f"{report.root} is not trusted: its hooks, servers, environment and allow rules are left out.",
                    hint="Start rein-tui there once and trust it, or give --trust.",
                    code="untrusted",
                )
            )
            return False
        request = TrustRequest(
            id=f"trust_{uuid.uuid4().hex[:8]}",
            root=report.root,
            items=tuple(TrustItem(kind=i.kind, title=i.title, where=i.where, detail=i.detail) for i in report.items),
            changed=report.changed,
            can_remember=report.can_remember,
        )
        reply = await self.prompter.trust(request)
        if reply.unanswered and not reply.trusted:
            return None
        if not reply.trusted:
            self._refused.add(wishes.root)
            return False
        record_trust(self.places, report)
        return True
