"""The `!` commands of a command or skill: through hooks, rules and the Bash tool, and never with a question.

What may not run as it stands aborts the whole invocation, and so does what fails.
"""

import time
import uuid
from collections.abc import Sequence

from ..protocol.decisions import PermissionQuery, Rule
from ..protocol.events import DELTAS, Event
from ..protocol.hooks import HookCall
from ..protocol.messages import ResultContent, TextBlock
from ..protocol.ports import Emit
from ..protocol.tools import ToolContext
from ..turn.moments import fire
from ..turn.parts import Parts
from .rendering import Aborted
from .words import Definition

_SHOWN = 200


class ShellLines:
    """Runs `!` commands in a session. `rules` are those of the definition that is being rendered."""

    def __init__(self, parts: Parts, tell: Emit, rules: Sequence[Rule]) -> None:
        self._parts = parts
        self._tell = tell
        self._rules = tuple(rules)

    async def __call__(self, defined: Definition, command: str) -> str:
        """The output of one command. Raises Aborted."""
        parts = self._parts
        tool = parts.tools.get("Bash")
        if not defined.owner.may_speak:
            raise _aborted(defined, command, "this folder is not trusted")
        if tool is None or defined.shell == "powershell":
            raise _aborted(defined, command, "there is no shell for it here")
        call_id = f"line_{uuid.uuid4().hex[:12]}"
        payload = {"tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": call_id}
        hooked = await fire(
            parts, HookCall(point="PreToolUse", subject="Bash", payload=payload, call_id=call_id), self._tell
        )
        if hooked.verdict in ("deny", "ask") or hooked.stop:
            raise _aborted(defined, command, hooked.reason or "a hook is against it")
        query = PermissionQuery(
            tool="Bash",
            input={"command": command},
            cwd=str(parts.workspace.cwd),
            checkout=parts.checkout,
            mode=parts.mode,
            frontmatter=(*parts.frontmatter, *self._rules),
            hook_verdicts=hooked.verdicts,
            interactive=False,
        )
        decision = parts.permissions.decide(query)
        if decision.outcome != "allow":
            raise _aborted(defined, command, decision.reason)
        started = time.perf_counter()
        value = tool.parse({"command": command})
        result = await tool.run(value, ToolContext(call_id, parts.workspace, self._facts_only, parts.prompter, False))
        text = _text(result.content)
        if result.is_error:
            took = time.perf_counter() - started
            raise _aborted(defined, command, f"failed after {took:.1f} s: {text[:_SHOWN]}", may_run=True)
        return text if text != "(no output)" else ""

    async def _facts_only(self, event: Event) -> None:
        if not isinstance(event, DELTAS):  # deltas belong to calls on the screen; this one has none
            await self._tell(event)


def _aborted(defined: Definition, command: str, reason: str, *, may_run: bool = False) -> Aborted:
    shown = " ".join(command.split())[:_SHOWN]
    return Aborted(
        f"/{defined.name} was not used: its command `{shown}` {reason if may_run else f'may not run: {reason}'}",
        where=str(defined.source),
        hint="" if may_run else "Allow the command by a rule, or by the file's allowed-tools.",
    )


def _text(content: ResultContent) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, TextBlock))
