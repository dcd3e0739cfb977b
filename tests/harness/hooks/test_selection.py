"""Which handlers run: matchers, conditions, duplicates, switches, owners."""

import msgspec
import pytest

from rein_tui.harness.hooks.config import for_subagent, parse_hooks
from rein_tui.harness.hooks.context import HookSwitches
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import HooksSkipped
from rein_tui.harness.protocol.hooks import HookPoint

from .conftest import Bench, call, command


async def test_skips_are_told_with_reasons(bench: Bench) -> None:
    groups = [
        {"matcher": "Edit", "hooks": [command("true")]},
        {"matcher": "Bash", "hooks": [command("true", **{"if": "Edit(*)"}), command("echo a"), command("echo a")]},
    ]
    hooks = Hooks(bench.specs({"PreToolUse": groups}), bench.context)
    outcome = await bench.fire(hooks)
    (skipped,) = [e for e in bench.events if isinstance(e, HooksSkipped)]
    assert [skip.reason for skip in skipped.skipped] == [
        "matcher 'Edit' does not match 'Bash'",
        "`if: Edit(*)` is not met",
        "the same handler as in settings.json:1",
    ]
    assert len(outcome.runs) == 1


async def test_duplicates_run_once_a_source(bench: Bench) -> None:
    hooks = {"PreToolUse": [{"hooks": [command("echo ${CLAUDE_PLUGIN_ROOT}")]}]}
    specs = [
        *bench.specs(hooks, "project", "p.json"),
        *bench.specs(hooks, "user", "u.json"),
        *bench.specs(hooks, "plugin", "a.json", plugin_id="a", plugin_root="/a"),
        *bench.specs(hooks, "plugin", "b.json", plugin_id="b", plugin_root="/b"),
    ]
    outcome = await bench.fire(Hooks(specs, bench.context))
    assert [run.hook.source.path for run in outcome.runs] == ["p.json", "a.json", "b.json"]


async def test_a_background_copy_cannot_replace_a_gate(bench: Bench) -> None:
    gate = command("exit 2")
    specs = [
        *bench.specs({"PreToolUse": [{"hooks": [gate | {"async": True}]}]}, "project", "p.json"),
        *bench.specs({"PreToolUse": [{"hooks": [gate]}]}, "user", "u.json"),
    ]
    hooks = Hooks(specs, bench.context)
    assert (await bench.fire(hooks)).verdict == "deny"
    await bench.until(lambda: len(bench.runs) == 2)
    await hooks.close()


async def test_ignored_for_the_session(bench: Bench) -> None:
    hooks = bench.engine(command("exit 1"))
    outcome = await bench.fire(hooks)
    hooks.ignore([verdict.hook_id for verdict in outcome.verdicts])
    assert (await bench.fire(hooks)).verdict is None


@pytest.mark.parametrize(
    ("switches", "ran"),
    [
        (HookSwitches(), ["managed", "user", "good", "other"]),
        (HookSwitches(disable_all=True), ["managed"]),
        (HookSwitches(disable_all=True, disable_managed=True), []),
        (HookSwitches(managed_only=True, managed_plugins=frozenset({"good@corp"})), ["managed", "good"]),
    ],
)
async def test_switches(bench: Bench, switches: HookSwitches, ran: list[str]) -> None:
    specs = [
        *bench.specs({"PreToolUse": [{"hooks": [command("echo managed")]}]}, "managed"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo user")]}]}, "user"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo good")]}]}, "plugin", plugin_id="good@corp"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo other")]}]}, "plugin", plugin_id="good@elsewhere"),
    ]
    bench.context.switches = switches
    outcome = await bench.fire(Hooks(specs, bench.context))
    assert [run.stdout.strip() for run in outcome.runs] == ran


async def test_a_gate_with_a_bad_matcher_asks_for_every_call(bench: Bench) -> None:
    entry = {"PreToolUse": [{"matcher": "Bash([", "hooks": [command("true")]}]}
    specs, notices = parse_hooks(entry, lambda _: Source(layer="user", path="s.json", line=3))
    outcome = await bench.fire(Hooks(specs, bench.context), tool_name="Read", tool_input={})
    assert (outcome.verdict, outcome.verdicts[0].broken) == ("ask", True)
    assert (notices[0].code, notices[0].where) == ("bad_matcher", "s.json:3")
    assert bench.runs[0].result == "failed"


async def test_once_is_for_skills(bench: Bench) -> None:
    handler = {"Stop": [{"hooks": [command("echo x", once=True)]}]}
    hooks = Hooks(bench.specs(handler), bench.context)
    hooks.add(bench.specs(handler, owner="skill:tidy"))
    first, second = await bench.fire(hooks, "Stop"), await bench.fire(hooks, "Stop")
    assert ([r.hook.owner for r in first.runs], [r.hook.owner for r in second.runs]) == (["", "skill:tidy"], [""])


async def test_hooks_of_a_subagent_stay_with_it(bench: Bench) -> None:
    hooks = Hooks([], bench.context)
    specs = bench.specs({"Stop": [{"hooks": [command("exit 2")]}], "PreToolUse": [{"hooks": [command("exit 2")]}]})
    hooks.add(for_subagent(specs, "a1"))
    hooks.add(for_subagent(specs, "a2"))

    async def blocked(point: HookPoint, agent_id: str) -> bool:
        moment = msgspec.structs.replace(call(point), agent_id=agent_id, agent_type="Explore")
        outcome = await hooks.fire(moment, bench.emit)
        return outcome.blocked or outcome.verdict == "deny"

    assert not hooks.has("Stop")
    assert await blocked("SubagentStop", "a1")
    assert await blocked("PreToolUse", "a2")
    assert not await blocked("PreToolUse", "")
    hooks.remove("agent:a1")
    assert not await blocked("SubagentStop", "a1")


async def test_changed_settings_keep_what_skills_brought(bench: Bench) -> None:
    hooks = bench.engine(command("echo old"))
    hooks.add(bench.specs({"Stop": [{"hooks": [command("echo skill")]}]}, owner="skill:x"))
    hooks.replace(bench.specs({"Stop": [{"hooks": [command("echo new")]}]}), HookSwitches())
    assert not hooks.has("PreToolUse")
    assert [run.stdout.strip() for run in (await bench.fire(hooks, "Stop")).runs] == ["new", "skill"]
