"""Commands by name, by key and from the palette: one registry. And the ways out."""

import json
from pathlib import Path

import pytest

from rein_tui.commands import builtin_commands
from rein_tui.commands.keys import bound_actions
from rein_tui.commands.prompt import edit
from rein_tui.commands.registry import Command, Registry, split_command
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Compacted
from rein_tui.keymap import read_keymap
from rein_tui.widgets.picker import Picker
from rein_tui.widgets.sheet import Sheet
from tests import stories
from tests.app.driving import Stage, on_stage
from tests.app.fake_harness import SESSIONS


async def shown(stage: Stage, kind: type) -> None:
    await stage.until(lambda: isinstance(stage.app.screen, kind))
    await stage.settled()


async def test_no_two_commands_share_a_name_or_a_key():
    commands = builtin_commands()
    names = [name for command in commands for name in (command.name, *command.aliases)]
    keys = [command.key for command in commands if command.key]
    assert len(names) == len(set(names))
    assert len(keys) == len(set(keys))


async def test_f1_shows_the_keys_valid_now_and_esc_closes():
    async with on_stage() as stage:
        await stage.press("f1")
        await shown(stage, Sheet)
        text = stage.text()
        for _ in range(3):
            await stage.press("pagedown")
            await stage.settled()
            text += stage.text()
        for words in ("F2", "ctrl+j", "New line", "Stash", "shift+tab"):
            assert words in text
        await stage.press("escape")
        await stage.settled()
        assert len(stage.app.screen_stack) == 1


async def test_the_palette_finds_and_runs():
    async with on_stage() as stage:
        await stage.press("ctrl+p")
        await shown(stage, Picker)
        await stage.type("status")
        await stage.settled()
        await stage.press("enter")
        await shown(stage, Sheet)
        assert "provider" in stage.text()


@pytest.mark.parametrize("name", ["help", "keys", "status", "doctor"])
async def test_pages(name: str):
    async with on_stage() as stage:
        await stage.type(f"/{name}")
        await stage.press("enter")
        await shown(stage, Sheet)


async def test_shift_tab_goes_through_the_modes():
    async with on_stage() as stage:
        seen: list[str] = []
        for _ in range(3):
            await stage.press("shift+tab")
            await stage.settled()
            seen.append(stage.harness.mode)
        assert seen == ["acceptEdits", "plan", "default"]
        assert "default" in stage.text().splitlines()[-1]


async def test_a_dangerous_mode_takes_its_name():
    async with on_stage() as stage:
        await stage.say("/mode bypassPermissions")
        await stage.until(lambda: stage.harness.mode == "bypassPermissions")
        await stage.settled()
        assert "bypass permissions" in stage.text().splitlines()[-1]


async def test_the_model_is_picked_from_what_the_server_offers():
    async with on_stage() as stage:
        await stage.type("/model")
        await stage.press("enter")
        await shown(stage, Picker)
        await stage.type("haiku")
        await stage.press("enter")
        await stage.until(lambda: stage.workbench.choice and stage.workbench.choice.model == "claude-haiku-4-5")


async def test_a_model_can_be_typed_where_there_is_no_list():
    async with on_stage() as stage:
        stage.workbench.has_no_list = True
        await stage.type("/model")
        await stage.pilot.press("enter")
        await shown(stage, Picker)
        await stage.until(lambda: "no such page" in stage.text())
        await stage.type("my/own-model")
        await stage.until(lambda: "as it stands" in stage.text())
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.workbench.choice and stage.workbench.choice.model == "my/own-model")


async def test_a_theme_is_tried_on_kept_and_taken_back(places: Places):
    async with on_stage(places=places) as stage:
        before = stage.app.theme
        await stage.type("/theme")
        await stage.press("enter")
        await shown(stage, Picker)
        await stage.press("down")
        await stage.settled()
        assert stage.app.theme != before
        await stage.press("escape")
        await stage.settled()
        assert stage.app.theme == before
        await stage.say("/theme rein-light")
        await stage.until(lambda: stage.app.theme == "rein-light")
    async with on_stage(places=places) as stage:
        assert stage.app.theme == "rein-light"


async def test_switches_are_kept(places: Places):
    async with on_stage(places=places) as stage:
        await stage.say("/config vim=on")
        await stage.until(lambda: stage.app.preferences.vim)
    async with on_stage(places=places) as stage:
        assert stage.app.preferences.vim


async def test_broken_preferences_are_reported_and_defaults_hold(places: Places):
    places.data.mkdir(parents=True)
    (places.data / "preferences.json").write_text('{"vim": 3}')
    async with on_stage(places=places) as stage:
        await stage.until(lambda: "preferences" in stage.text())
        assert not stage.app.preferences.vim


async def test_export_and_copy(tmp_path: Path):
    async with on_stage(lambda: [stories.greeting()]) as stage:
        await stage.say("hello")
        await stage.say(f"/export {tmp_path}/out.md")
        await stage.until((tmp_path / "out.md").exists)
        await stage.until(lambda: "What shall we work on?" in (tmp_path / "out.md").read_text())
        await stage.say(f"/export {tmp_path}/out.html")
        await stage.until((tmp_path / "out.html").exists)
        await stage.until(lambda: "</html>" in (tmp_path / "out.html").read_text())
        await stage.say("/copy")
        await stage.until(lambda: stage.app.clipboard == "Hello. What shall we work on?")


async def test_an_export_that_fails_says_why():
    async with on_stage() as stage:
        await stage.say("/export /proc/nowhere/x.md")
        await stage.until(lambda: "cannot export" in stage.text())


async def test_clear_begins_a_new_session_and_resume_picks_an_old_one():
    async with on_stage(stored=SESSIONS) as stage:
        await stage.say("hello")
        await stage.say("/clear")
        await stage.until(lambda: len(stage.workbench.opened) == 2)
        await stage.type("/resume")
        await stage.press("enter")
        await shown(stage, Picker)
        await stage.type("parser")
        await stage.press("enter")
        await stage.until(lambda: stage.harness.info.id == "a3")


async def test_history_is_searched_with_ctrl_r():
    async with on_stage() as stage:
        await stage.say("fix the parser")
        await stage.say("write the docs")
        await stage.press("ctrl+r")
        await shown(stage, Picker)
        await stage.type("pars")
        await stage.press("enter")
        await stage.until(lambda: stage.app.main.composer.text == "fix the parser")


async def test_ctrl_c_twice_leaves_with_the_command_that_resumes():
    async with on_stage() as stage:
        await stage.say("hello")
        await stage.press("ctrl+c")
        await stage.settled()
        assert "ctrl+c again exits" in stage.text()
        await stage.press("ctrl+c")
        await stage.until(lambda: stage.app.return_value is not None)
        assert stage.app.return_value == f"rein-tui --resume {stage.harness.info.id}"


async def test_a_session_without_a_turn_leaves_without_a_word():
    async with on_stage() as stage:
        await stage.say("/exit")
        await stage.until(lambda: stage.app.return_value is not None)
        assert stage.app.return_value == ""


async def test_ctrl_c_clears_the_prompt_first_and_undo_brings_it_back():
    async with on_stage() as stage:
        await stage.type("precious")
        await stage.press("ctrl+c")
        assert stage.app.main.composer.text == ""
        await stage.press("ctrl+z")
        assert stage.app.main.composer.text == "precious"


async def test_ctrl_c_copies_what_is_selected():
    async with on_stage() as stage:
        await stage.type("word")
        await stage.press("shift+home", "ctrl+c")
        await stage.settled()
        assert stage.app.clipboard == "word"
        assert stage.app.main.composer.text == "word"


async def test_esc_twice_clears_the_prompt_and_on_an_empty_one_opens_rewind():
    async with on_stage(lambda: [stories.greeting(), stories.greeting()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.type("no")
        await stage.press("escape", "escape")
        await stage.settled()
        assert stage.app.main.composer.text == ""
        await stage.press("escape", "escape")
        await shown(stage, Picker)
        await stage.press("enter")
        await stage.until(lambda: "$ make build" in stage.text())
        assert "Not undone, what these commands did" in stage.text()
        assert "put back src/auth/tokens.py" in stage.text()
        assert "1 file: tokens.py" in stage.text()
        await stage.press("enter")
        await stage.until(lambda: stage.harness.rewound)
        assert stage.harness.rewound == [(1, True, True)]
        await stage.until(lambda: stage.app.main.composer.text == "second")


async def test_files_changed_by_others_are_asked_about_before_they_go_back():
    async with on_stage(lambda: [stories.greeting()]) as stage:
        await stage.say("first")
        stage.harness.obstacle = "changed_since"
        for keys, also in (
            (("enter",), frozenset[str]()),
            (("down", "enter"), frozenset({"src/auth/tokens.py"})),
            (("escape",), None),
        ):
            stage.harness.rewound.clear()
            await stage.type("/rewind")
            await stage.press("enter")
            await stage.until(lambda: "Go back to before" in stage.text())
            await stage.press("enter")
            await stage.until(lambda: "What should go back" in stage.text())
            await stage.press("down", "down", "enter")
            await stage.until(lambda: "Changed since by somebody else: tokens.py" in stage.text())
            await stage.press(*keys)
            await stage.settled()
            if also is None:
                assert stage.harness.rewound == []
            else:
                await stage.until(lambda: stage.harness.rewound)
                assert (stage.harness.rewound, stage.harness.rewound_also) == ([(0, False, True)], also)


async def test_summarise_from_here_keeps_what_came_before():
    async with on_stage(lambda: [stories.greeting(), stories.greeting()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.type("/rewind")
        await stage.press("enter")
        await stage.until(lambda: "Go back to before" in stage.text())
        await stage.press("enter")
        await stage.until(lambda: "summarise from here" in stage.text())
        await stage.press("down", "down", "down", "enter")
        await stage.until(lambda: any(isinstance(f, Compacted) and f.from_turn == 2 for f in stage.harness.history()))


async def test_compact_is_a_turn_and_not_one_beside_another():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("go")
        await stage.say("/compact")
        await stage.until(lambda: "not while a turn runs" in stage.text())
        stage.harness.go_on()
        await stage.settled()
        await stage.say("/compact the tests")
        await stage.until(lambda: any(isinstance(fact, Compacted) for fact in stage.harness.history()))


async def test_the_external_editor_gets_the_prompt_and_gives_it_back(tmp_path: Path):
    editor = tmp_path / "ed.sh"
    editor.write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
    editor.chmod(0o755)
    assert await edit(f"{editor}", "this") == "this and more"
    with pytest.raises(ConfigError, match="exit code 1"):
        await edit("false", "this")
    with pytest.raises(ConfigError, match="cannot start the editor"):
        await edit(f"{tmp_path}/none", "this")
    with pytest.raises(ConfigError, match="ended by signal 9"):
        await edit("sh -c 'kill -KILL $$'", "this")


async def test_a_terminal_that_cannot_be_lent_and_an_editor_that_is_not_there_say_so(monkeypatch: pytest.MonkeyPatch):
    async with on_stage() as stage:
        monkeypatch.setenv("VISUAL", "/no/such/editor")
        await stage.type("this")
        await stage.press("ctrl+g")
        await stage.until(lambda: "editor" in stage.text())
        assert stage.app.main.composer.text == "this"


KEYS_FILES: tuple[tuple[str, dict[str, str], str], ...] = (  # what is written, what applies, what is said of the rest
    ('{"inspector": "F9, Ctrl+E"}', {"inspector": "f9,ctrl+e"}, ""),
    (
        '{"surface.copy": "?", "blocks.up": "alt+↑", "scroll.up": "page up"}',
        {"surface.copy": "question_mark", "blocks.up": "alt+up", "scroll.up": "pageup"},
        "",
    ),
    ('\ufeff{"inspector": "f9"}', {"inspector": "f9"}, ""),
    ('{"hook": "f9"}', {}, "did you mean 'hooks'"),
    ('{"inspector": 1}', {}, "wants its keys as text"),
    ('{"inspector": ""}', {}, "wants its keys as text"),
    ('{"inspector": "f9,,"}', {}, "'' is no key"),
    ('{"inspector": "\\ud800"}', {}, "is no key"),
    ('{"inspector": "ctrl+i"}', {}, "as 'tab'"),
    ('{"inspector": "ctrl+k ctrl+s"}', {}, "no chords"),
    ('{"inspector": "e"}', {}, "for writing in the prompt"),
    ('{"inspector": "/"}', {}, "for writing in the prompt"),
    ('{"inspector": "ctrl+c"}', {}, "ctrl+c is the key of 'leave'"),
    ('{"leave": "f9", "inspector": "ctrl+c"}', {"leave": "f9", "inspector": "ctrl+c"}, ""),
    ('{"inspector": "f3", "hooks": "f2"}', {"inspector": "f3", "hooks": "f2"}, ""),
    ('{"inspector": "f9", "hooks": "f9"}', {"inspector": "f9"}, "F9 is the key of 'inspector'"),
    ('{"inspector": "f3", "hooks": "ctrl+c"}', {}, "F3 is the key of 'hooks'"),
    ('{"surface.copy": "f2"}', {}, "F2 is the key of 'inspector'"),
    (
        '{"composer.send": "ctrl+enter", "composer.steer": "f9", "composer.newline": "enter"}',
        {"composer.send": "ctrl+enter", "composer.steer": "f9", "composer.newline": "enter"},
        "",
    ),
    ("[]", {}, "an object"),
    ("[" * 100_000, {}, "recursion"),
    ('{"inspector": ' + "1" * 6000 + "}", {}, "digits"),
)


@pytest.mark.parametrize(("text", "applies", "said"), KEYS_FILES, ids=[text[:40] for text, _, _ in KEYS_FILES])
def test_keys_file(tmp_path: Path, text: str, applies: dict[str, str], said: str):
    path = tmp_path / "keys.json"
    path.write_text(text, encoding="utf-8")
    keymap, notices = read_keymap(path, bound_actions())
    assert keymap == applies
    assert said in " ".join(notice.text for notice in notices)
    assert bool(said) == bool(notices)


def test_a_bad_entry_of_a_keys_file_has_its_line(tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text('{\n  "inspector": "f9",\n  "hook": "f3",\n  "stop": "ctrl+i"\n}')
    keymap, notices = read_keymap(path, bound_actions())
    assert keymap == {"inspector": "f9"}
    assert [notice.where.rsplit(":", 1)[1] for notice in notices] == ["3", "4"]


def test_a_keys_file_that_is_no_json_names_its_line(tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text('{\n "a": "b"\n "c": "d"}')
    keymap, notices = read_keymap(path, {})
    assert keymap == {}
    assert notices[0].where.endswith(":3")


async def test_rebound_keys_work(places: Places):
    places.config.mkdir(parents=True)
    (places.config / "rein-tui-keys.json").write_text(json.dumps({"inspector": "f9", "composer.newline": "ctrl+n"}))
    async with on_stage(places=places) as stage:
        await stage.press("f9")
        await stage.until(lambda: stage.app.main.dock.shown == "inspector")
        await stage.press("f9")
        await stage.until(lambda: not stage.app.main.dock.shown)
        await stage.type("a")
        await stage.press("ctrl+n")
        await stage.type("b")
        assert stage.app.main.composer.text == "a\nb"


def test_the_registry():
    async def nothing(app: object, argument: str) -> None:
        return

    registry = Registry([Command("alpha", "", nothing, aliases=("a",))])
    assert registry.get("a") is registry.get("alpha")
    assert not registry.add(Command("alpha", "", nothing))
    assert registry.closest("alpah") is registry.get("alpha")
    assert registry.get("beta") is None
    registry.replace("files", [Command("beta", "one", nothing, aliases=("b", "a")), Command("alpha", "", nothing)])
    assert registry.get("b") is registry.get("beta")
    assert registry.get("a") is registry.get("alpha")
    registry.replace("files", [Command("beta", "two", nothing)])
    assert [command.summary for command in registry.all()] == ["", "two"]
    assert registry.get("b") is None
    registry.replace("files", [])
    assert [command.name for command in registry.all()] == ["alpha"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [("/a", ("a", "")), ("/a  b c ", ("a", "b c")), ("/a\nb c", ("a", "b c"))],
)
def test_split_command(text: str, parts: tuple[str, str]):
    assert split_command(text) == parts
