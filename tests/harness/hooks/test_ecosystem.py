"""Plugins of our own that have the peculiarities of public ones: all of these have to work unchanged."""

import json
from pathlib import Path
from typing import Any

from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.protocol.base import JsonObject

from .conftest import Bench, command

POLYGLOT = """: << 'BATCH'
@echo off
exit /b 0
BATCH
# From here on a shell reads; there is no shebang.
set -euo pipefail
HERE="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)"
exec bash "$HERE/$1"
"""

CONTEXT = """#!/usr/bin/env bash
cat <<'JSON'
{
  "hookSpecificOutput": {
    "hookEventName": "SessionStart",
    "additionalContext": "You have skills."
  }
}
JSON
"""

LOOP = r"""#!/bin/bash
set -euo pipefail
INPUT=$(cat)
STATE="loop.local.md"
[ -f "$STATE" ] || exit 0
TRANSCRIPT=$(printf '%s' "$INPUT" | sed -n 's/.*"transcript_path":"\([^"]*\)".*/\1/p')
grep -q '"role":"assistant"' "$TRANSCRIPT" || { echo "no assistant message" >&2; exit 0; }
LAST=$(grep '"role":"assistant"' "$TRANSCRIPT" | tail -1)
case "$LAST" in *"<promise>DONE</promise>"*) rm "$STATE"; echo "all done"; exit 0 ;; esac
printf '{"decision": "block", "reason": "%s", "systemMessage": "again"}\n' "$(tail -1 "$STATE")"
"""

GUARD = """import json, os, sys
sys.path.insert(0, os.environ["CLAUDE_PLUGIN_ROOT"])
from rules import danger
data = json.load(sys.stdin)
out = {}
if danger(data.get("tool_input", {}).get("command", "")):
    own = {"hookEventName": data["hook_event_name"], "permissionDecision": "deny"}
    out = {"hookSpecificOutput": own, "systemMessage": "**[rule]** dangerous"}
print(json.dumps(out), file=sys.stdout)
sys.exit(0)
"""

BACKGROUND = """#!/bin/sh
echo '{"async": true, "asyncTimeout": 180000}'
read -r line <gate
echo '{"metrics": {"ms": 3}}'
"""


VALIDATOR = """import json, re, sys
try:
    data = json.load(sys.stdin)
except json.JSONDecodeError as error:
    print(f"Error: {error}", file=sys.stderr)
    sys.exit(1)
if data.get("tool_name") != "Bash":
    sys.exit(0)
issues = [rule for rule in ("grep", "find") if re.search(rf"^{rule}\\b", data["tool_input"].get("command", ""))]
for issue in issues:
    print(f"\u2022 do not use {issue}", file=sys.stderr)
sys.exit(2 if issues else 0)
"""


def plugin(bench: Bench, name: str, hooks: JsonObject, files: dict[str, str]) -> Hooks:
    """Install a plugin and give an engine with its hooks."""
    root = bench.folder.parent / "plugins" / name
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    return Hooks(bench.specs(hooks, "plugin", plugin_id=name, plugin_root=str(root)), bench.context)


def handlers(line: str, **fields: Any) -> list[JsonObject]:
    return [{"matcher": "", "hooks": [command(line, **fields)]}]


async def test_a_polyglot_runner_without_shebang(bench: Bench) -> None:
    files = {"hooks/run-hook.cmd": POLYGLOT, "hooks/session-start": CONTEXT}
    line = '"${CLAUDE_PLUGIN_ROOT}/hooks/run-hook.cmd" session-start'
    hooks = plugin(bench, "skills", {"SessionStart": handlers(line, shell="bash")}, files)
    outcome = await bench.fire(hooks, "SessionStart", source="startup")
    assert outcome.context == ("[SessionStart hook: skills]\nYou have skills.",)


async def test_a_default_in_the_placeholder(bench: Bench) -> None:
    files = {"hooks/persist.sh": 'echo "export SID=\\"$CLAUDE_CODE_SESSION_ID\\"" >>"$CLAUDE_ENV_FILE"\n'}
    bench.context.env_file = bench.folder / "env.sh"
    line = 'bash "${CLAUDE_PLUGIN_ROOT:-.}/hooks/persist.sh"'
    outcome = await bench.fire(plugin(bench, "gh", {"SessionStart": handlers(line)}, files), "SessionStart")
    assert outcome.runs[0].result == "nothing"
    assert bench.context.env_file.read_text() == f'export SID="{bench.context.session_id}"\n'


async def test_a_loop_that_reads_the_transcript(bench: Bench) -> None:
    hooks = plugin(bench, "loop", {"Stop": handlers("${CLAUDE_PLUGIN_ROOT}/stop.sh")}, {"stop.sh": LOOP})
    state, transcript = bench.folder / "loop.local.md", Path(bench.context.transcript_path)
    assert not (await bench.fire(hooks, "Stop")).blocked

    state.write_text("---\nactive: true\n---\nBuild it\n")
    message = {"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": "..."}]}}
    transcript.write_text(json.dumps(message, separators=(",", ":")) + "\n")
    again = await bench.fire(hooks, "Stop")
    assert (again.blocked, again.reason, again.messages) == (True, "Build it", ("again",))

    transcript.write_text(transcript.read_text().replace("...", "<promise>DONE</promise>"))
    assert not (await bench.fire(hooks, "Stop")).blocked
    assert not state.exists()


async def test_a_guard_that_denies_with_a_message_only(bench: Bench) -> None:
    files = {"guard.py": GUARD, "rules.py": "def danger(c):\n    return 'rm -rf' in c\n"}
    hooks = plugin(
        bench, "guard", {"PreToolUse": handlers("python3 ${CLAUDE_PLUGIN_ROOT}/guard.py", timeout=30)}, files
    )
    denied = await bench.fire(hooks, tool_input={"command": "rm -rf x"})
    assert (denied.verdict, denied.reason) == ("deny", "**[rule]** dangerous")
    assert (await bench.fire(hooks, tool_input={"command": "ls"})).verdict is None


async def test_a_validator_that_says_no_by_exit_code(bench: Bench) -> None:
    hooks = plugin(bench, "rules", {"PreToolUse": handlers("python3 ${CLAUDE_PLUGIN_ROOT}/v.py")}, {"v.py": VALIDATOR})
    denied = await bench.fire(hooks, tool_input={"command": "grep x y"})
    assert (denied.verdict, denied.reason) == ("deny", "\u2022 do not use grep")
    assert (await bench.fire(hooks, tool_input={"command": "rg x"})).verdict is None


async def test_a_program_that_is_not_installed(bench: Bench) -> None:
    line = "no-such-scanner mcp -k inject"
    moments = ("SessionStart", "UserPromptSubmit", "PostToolUse")
    hooks = plugin(bench, "scanner", {point: handlers(line) for point in moments}, {})
    outcomes = [await bench.fire(hooks, point) for point in moments]
    assert [(o.runs[0].result, o.runs[0].exit_code) for o in outcomes] == [("failed", 127)] * 3
    assert [o.verdict for o in outcomes] == [None, "ask", None], "only the gate asks"


async def test_guards_of_several_plugins_all_have_their_say(bench: Bench) -> None:
    say = "import json; print(json.dumps({'hookSpecificOutput': {'hookEventName': 'PreToolUse', "
    deny = say + "'permissionDecision': 'deny', 'permissionDecisionReason': '[rm-home] rm targeting home'}}))"
    hooks = plugin(bench, "guard", {"PreToolUse": handlers("python3 ${CLAUDE_PLUGIN_ROOT}/g.py")}, {"g.py": deny})
    again = plugin(bench, "pack", {"PreToolUse": handlers("python3 ${CLAUDE_PLUGIN_ROOT}/g.py")}, {"g.py": deny})
    both = Hooks([*hooks.specs, *again.specs], bench.context)
    outcome = await bench.fire(both, tool_input={"command": "rm -rf ~/"})
    assert (outcome.verdict, outcome.reason, len(outcome.runs)) == ("deny", "[rm-home] rm targeting home", 2)


async def test_a_lost_exec_bit_is_shown(bench: Bench) -> None:
    hooks = plugin(bench, "copied", {"PostToolUse": handlers("${CLAUDE_PLUGIN_ROOT}/x.sh")}, {"x.sh": "exit 0\n"})
    (bench.folder.parent / "plugins/copied/x.sh").chmod(0o644)
    (run,) = (await bench.fire(hooks, "PostToolUse")).runs
    assert (run.result, run.exit_code) == ("failed", 126)


async def test_a_line_that_begins_with_a_comment(bench: Bench) -> None:
    outcome = await bench.run(command("# Look first.\nif true; then\n  echo found\nfi\n"), point="SessionStart")
    assert outcome.context[0].endswith("\nfound")


async def test_a_start_hook_that_goes_to_the_background(bench: Bench) -> None:
    gate = bench.pipe("gate")
    hooks = plugin(bench, "review", {"SessionStart": handlers("${CLAUDE_PLUGIN_ROOT}/x.sh")}, {"x.sh": BACKGROUND})
    assert (await bench.fire(hooks, "SessionStart")).runs == ()
    gate.say()
    await bench.until(lambda: bool(bench.runs))
    assert (bench.runs[0].result, bench.runs[0].parsed) == ("nothing", {"metrics": {"ms": 3}})


async def test_the_same_line_with_two_conditions_is_two_hooks(bench: Bench) -> None:
    line = "echo review >&2; exit 2"
    conditions = [
        command(line, asyncRewake=True, rewakeMessage="Background review:", **{"if": f"Bash(git {verb}:*)"})
        for verb in ("commit", "push")
    ]
    wakes: list[str] = []
    bench.context.wake = wakes.append
    bench.context.matches_rule = lambda rule, _tool, given: str(given["command"]).split()[1] in rule
    hooks = Hooks(bench.specs({"PostToolUse": [{"matcher": "Bash", "hooks": conditions}]}), bench.context)
    await bench.fire(hooks, "PostToolUse", tool_input={"command": "git push"})
    await bench.until(lambda: bool(bench.runs))
    await hooks.close()
    assert wakes == ["Background review:\nreview"]
