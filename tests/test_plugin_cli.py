"""`rein-tui plugin …` over real folders, git repositories and archives: from a marketplace to a session and back."""

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from rein_tui.cli.plugin import PluginScreen, add_plugin_parser, run_plugin
from rein_tui.harness.places import Places
from rein_tui.harness.plugins.extensions import load_extensions
from rein_tui.harness.plugins.finding import PluginScene
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.trust import read_trust, record_trust
from tests.harness.plugins.files import markdown, write
from tests.harness.plugins.sessions import DONE, PATH, staged

INDEX = ".claude-plugin/marketplace.json"
MANIFEST = ".claude-plugin/plugin.json"
HOOKS = {
    "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/guard.sh x"}]}]
}


class Desk:
    """The command line in one folder of one machine."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.out = self.err = ""

    async def __call__(self, *arguments: str, answer: str | None = None) -> int:
        parser = argparse.ArgumentParser()
        add_plugin_parser(parser.add_subparsers(dest="command"))
        stdin = _Terminal(answer) if answer is not None else io.StringIO()
        out, err = io.StringIO(), io.StringIO()
        code = await run_plugin(
            parser.parse_args(["plugin", *arguments]), self.places, PATH, PluginScreen(stdin, out, err)
        )
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    async def json(self, *arguments: str) -> Any:
        assert await self(*arguments, "--json") == 0, self.err
        return json.loads(self.out)

    def settings(self, path: Path | None = None) -> Any:
        return json.loads((path or self.places.user_settings).read_text())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def desk(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(write(tmp_path / "w", {}))
    return Desk(places)


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A marketplace folder with one plugin of every part."""
    folder = write(
        tmp_path / "market",
        {
            INDEX: {
                "name": "our-market",
                "owner": {"name": "us"},
                "plugins": [
                    {"name": "tools", "source": "./plugins/tools", "description": "Useful"},
                    {"name": "few", "source": "./", "strict": False, "skills": ["./skills/a"]},
                    {"name": "bad", "source": "../outside"},
                    {"name": "tools", "source": "./again"},
                    7,
                ],
                "renames": {"old-tools": "tools"},
            },
            "plugins/tools/" + MANIFEST: {"name": "tools", "version": "1.0.0", "hooks": HOOKS},
            "plugins/tools/guard.sh": "#!/bin/sh\nexit 0\n",
            "plugins/tools/commands/go.md": markdown("Go in ${CLAUDE_PLUGIN_ROOT}.", description="goes"),
            "plugins/tools/.mcp.json": {"time": {"command": "serve", "args": ["--utc"]}},
            "shared/lib.sh": "echo shared\n",
            "skills/a/SKILL.md": "A",
            "skills/b/SKILL.md": "B",
        },
    )
    (folder / "plugins/tools/guard.sh").chmod(0o755)
    (folder / "plugins/tools/own.sh").symlink_to("guard.sh")
    (folder / "plugins/tools/lib.sh").symlink_to("../../shared/lib.sh")
    (folder / "plugins/tools/passwd").symlink_to("/etc/passwd")
    return folder


async def test_from_a_folder_to_a_session_and_back(desk: Desk, market: Path) -> None:
    added = await desk.json("marketplace", "add", str(market))
    assert added == [{"name": "our-market", "plugins": ["tools", "few"], "path": str(market)}]
    assert await desk("install", "old-tools", answer="y\n") == 0, desk.err
    assert "runs at PreToolUse (Bash): ${CLAUDE_PLUGIN_ROOT}/guard.sh x" in desk.out
    assert "starts the server time: serve --utc" in desk.out
    assert "commands: /tools:go" in desk.out
    assert "left out:" in desk.out
    cached = desk.places.config / "plugins/cache/our-market/tools/1.0.0"
    assert (cached / "guard.sh").stat().st_mode & 0o111
    assert (cached / "own.sh").is_symlink()
    assert (cached / "lib.sh").read_text() == "echo shared\n" and not (cached / "lib.sh").is_symlink()
    assert not (cached / "passwd").exists()
    record = json.loads((desk.places.config / "plugins/installed_plugins.json").read_text())
    assert record["version"] == 2
    assert record["plugins"]["tools@our-market"][0]["installPath"] == str(cached)
    known = json.loads((desk.places.config / "plugins/known_marketplaces.json").read_text())
    assert known["our-market"]["installLocation"] == str(market)
    assert desk.settings() == {"enabledPlugins": {"tools@our-market": True}}
    async with staged(desk.places, Path.cwd(), [DONE]) as stage:
        await stage.say("/tools:go")
        assert stage.prompts()[1] == f"Go in {cached}."
    assert await desk("disable", "tools") == 0
    async with staged(desk.places, Path.cwd(), [DONE]) as stage:
        await stage.say("/tools:go")
        assert stage.prompts() == []  # nobody knows it any more, and nothing is sent
    assert await desk("uninstall", "tools@our-market") == 0
    assert desk.settings() == {"enabledPlugins": {}}
    assert (cached / ".orphaned_at").read_text().isdecimal()
    assert await desk.json("list") == []


async def test_the_list_has_exactly_these_fields(desk: Desk, market: Path) -> None:
    [row] = await desk.json("list", "--plugin-dir", str(market / "plugins/tools"))
    problems = row.pop("problems")
    assert row == {
        "id": "tools@inline",
        "name": "tools",
        "version": "1.0.0",
        "source": "inline",
        "enabled": True,
        "commands": ["tools:go"],
        "agents": [],
        "skills": [],
        "hooks": [
            {"event": "PreToolUse", "matcher": "Bash", "type": "command", "run": "${CLAUDE_PLUGIN_ROOT}/guard.sh x"}
        ],
        "mcp": ["plugin:tools:time"],
    }
    assert problems == []
    assert await desk("list", "--plugin-dir", "/nowhere") == 1


async def test_saying_no_installs_nothing(desk: Desk, market: Path) -> None:
    await desk.json("marketplace", "add", str(market))
    assert await desk("install", "tools", answer="\n") == 1
    assert await desk.json("list") == []
    assert not desk.places.user_settings.exists()


async def test_a_git_marketplace_with_a_new_version(desk: Desk, market: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=market, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    await desk.json("marketplace", "add", f"file://{market}")
    assert (await desk.json("install", "tools", "--scope", "project"))["version"] == "1.0.0"
    assert desk.settings(Path(".claude/settings.json")) == {"enabledPlugins": {"tools@our-market": True}}
    write(market, {"plugins/tools/" + MANIFEST: {"name": "tools", "version": "1.1.0"}})
    git("commit", "-q", "-a", "-m", "two")
    assert await desk.json("update", "tools") == {"id": "tools@our-market", "version": "1.1.0"}
    cache = desk.places.config / "plugins/cache/our-market/tools"
    assert sorted(p.name for p in cache.iterdir()) == ["1.0.0", "1.1.0"]
    assert (cache / "1.0.0/.orphaned_at").is_file()
    assert (await desk.json("marketplace", "remove", "our-market"))["uninstalled"] == ["tools@our-market"]
    assert not (desk.places.config / "plugins/marketplaces/our-market").exists()


async def test_archives_are_checked_and_stay_inside(desk: Desk, tmp_path: Path) -> None:
    packed, evil = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("wrapped/run.sh")
        info.external_attr = 0o755 << 16
        archive.writestr(info, "#!/bin/sh\n")
        archive.writestr("wrapped/commands/go.md", "Go")
    with tarfile.open(fileobj=evil, mode="w:gz") as archive:
        member = tarfile.TarInfo("../evil.txt")
        archive.addfile(member, io.BytesIO(b""))
    files = {"/good.zip": packed.getvalue(), "/evil.tgz": evil.getvalue()}
    digest = hashlib.sha256(files["/good.zip"]).hexdigest()
    with _Served(files) as url:
        entries = [
            {"name": "good", "source": {"source": "archive", "url": f"{url}/good.zip", "sha256": digest}},
            {"name": "changed", "source": {"source": "archive", "url": f"{url}/good.zip", "sha256": "0" * 64}},
            {"name": "evil", "source": {"source": "archive", "url": f"{url}/evil.tgz"}},
            {"name": "gone", "source": {"source": "archive", "url": f"{url}/none.zip"}},
            {"name": "runs", "source": {"source": "command", "command": "touch x"}},
        ]
        index = write(tmp_path / "m", {"index.json": {"name": "m", "owner": {"name": "x"}, "plugins": entries}})
        await desk.json("marketplace", "add", str(index / "index.json"))
        good = await desk.json("install", "good")
        assert Path(good["path"], "run.sh").stat().st_mode & 0o111
        for name, why in (("changed", "sha256 differs"), ("evil", "unpacked"), ("gone", "404"), ("runs", "'command'")):
            assert await desk("install", name) == 1
            assert why in desk.err
    assert [row["id"] for row in await desk.json("list")] == ["good@m"]
    assert not list((desk.places.config / "plugins").glob(".staging-*"))
    assert not list(tmp_path.rglob("evil.txt"))


async def test_policy_has_the_last_word(desk: Desk, market: Path) -> None:
    policy = {
        "strictKnownMarketplaces": [{"source": "github", "repo": "acme/*"}],
        "enabledPlugins": {"tools@our-market": False},
    }
    await desk.json("marketplace", "add", str(market))
    write(desk.places.managed, {"managed-settings.json": policy})
    assert await desk("marketplace", "add", str(market)) == 1
    assert "policy does not list this marketplace" in desk.err
    assert await desk("install", "tools") == 1
    write(desk.places.managed, {"managed-settings.json": {"enabledPlugins": {"tools@our-market": False}}})
    assert await desk("install", "tools") == 1
    assert "policy blocks tools@our-market" in desk.err


async def test_policy_lets_no_command_bring_a_plugin(desk: Desk, tmp_path: Path) -> None:
    offer = {"name": "runs", "source": {"source": "command", "command": "touch x"}}
    index = write(tmp_path / "m", {"index.json": {"name": "m", "owner": {"name": "x"}, "plugins": [offer]}})
    await desk.json("marketplace", "add", str(index / "index.json"))
    for policy in ({"disableCommandPluginSources": "yes"}, {"allowManagedHooksOnly": True}):
        write(desk.places.managed, {"managed-settings.json": policy})
        assert await desk("install", "runs") == 1
        assert "no command bring a plugin" in desk.err and "managed-settings.json" in desk.err
    kept = tmp_path / "kept"
    write(kept, {".claude-plugin/plugin.json": {"name": "runs"}})
    entry = {"scope": "user", "installPath": str(kept), "version": "1"}
    write(desk.places.config / "plugins", {"installed_plugins.json": {"version": 2, "plugins": {"runs@m": [entry]}}})
    rows = {row["id"]: row for row in await desk.json("list")}
    assert rows["runs@m"]["enabled"] is False


async def test_switches_change_one_value_and_keep_the_rest(desk: Desk, market: Path) -> None:
    await desk.json("marketplace", "add", str(market))
    await desk.json("install", "tools")
    path = desk.places.user_settings
    path.write_text('{\n    "model": "x",\n    "enabledPlugins": {"other@m": true},\n    "env": {"A": "1"}\n}\n')
    await desk.json("disable", "tools")
    assert desk.settings() == {
        "model": "x",
        "enabledPlugins": {"other@m": True, "tools@our-market": False},
        "env": {"A": "1"},
    }
    assert path.read_text().startswith('{\n    "model": "x",\n    "enabledPlugins": {\n        "other@m": true')
    path.write_text("{broken")
    assert await desk("enable", "tools@our-market") == 1
    assert path.read_text() == "{broken"


async def test_validation(desk: Desk, market: Path, tmp_path: Path) -> None:
    assert await desk("validate", str(market)) == 0
    assert "is there twice" in desk.out and "leads out of the marketplace" in desk.out
    assert await desk("validate", str(market), "--strict") == 1
    files = {
        MANIFEST: '{"name": "p",\n "outputStyles": "./none.md"}',
        "commands/old.md": "Take $1 and $2",
        "agents/a.md": "---\nname: a\ndescription: x: y: z\n---\n",
    }
    assert await desk("validate", str(write(tmp_path / "p", files)), "--json") == 1
    found = {p["code"]: p for p in json.loads(desk.out)["problems"]}
    assert set(found) == {"path_missing", "counts_from_one", "frontmatter_lenient"}
    assert found["path_missing"]["where"].endswith("plugin.json:2")
    assert await desk("validate", "/nowhere") == 1


async def test_a_plugin_that_needs_another_says_so_until_that_is_on(desk: Desk, tmp_path: Path) -> None:
    market = write(
        tmp_path / "m",
        {
            INDEX: {
                "name": "m",
                "owner": {"name": "o"},
                "plugins": [{"name": "top", "source": "./top"}, {"name": "base", "source": "./base"}],
            },
            f"top/{MANIFEST}": {"name": "top", "dependencies": ["base", {"name": "x", "marketplace": "far"}, 7]},
            "top/commands/a.md": "x",
            "base/commands/b.md": "x",
        },
    )
    assert await desk("marketplace", "add", str(market)) == 0
    assert await desk("install", "top@m") == 0
    assert "needs other plugins, which are not installed with it: base, x@far" in desk.out

    async def missing() -> list[str]:
        problems = [each for plugin in await desk.json("list") for each in plugin["problems"]]
        assert [each["code"] for each in problems if "must be a name" in each["text"]] == ["bad_dependency"]
        return [each["text"].split()[4] for each in problems if each["code"] == "dependency_missing"]

    assert await missing() == ["base,", "x@far,"]
    assert await desk("install", "base@m") == 0
    assert await missing() == ["x@far,"]
    assert await desk("disable", "base") == 0
    assert await missing() == ["base,", "x@far,"]


async def test_validation_tells_which_servers_would_not_start(desk: Desk, tmp_path: Path) -> None:
    servers = {"a": {"command": "x", "args": "one"}, "b": {"url": "http://x"}, "c": {"command": "${TOOL}"}}
    folder = write(tmp_path / "p", {".mcp.json": {"mcpServers": servers}})
    assert await desk("validate", str(folder), "--strict", "--json") == 1
    told = [each["text"] for each in json.loads(desk.out)["problems"]]
    assert len(told) == 2
    assert "its args is not a list of texts" in told[0] and "no type" in told[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-evil", "no marketplace"),
        ("ext::sh -c x", "no marketplace"),
        ("./gone", "does not exist"),
        ("a/b/c", "no market"),
    ],
)
async def test_sources_that_make_no_sense(desk: Desk, text: str, why: str) -> None:
    assert await desk("marketplace", "add", *(("--", text) if text.startswith("-") else (text,))) == 1
    assert why in desk.err


class _Served:
    """Files over HTTP on loopback."""

    def __init__(self, files: dict[str, bytes]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


async def test_what_is_not_there_cannot_be_switched(desk: Desk, market: Path) -> None:
    assert await desk("marketplace", "list") == 0 and "marketplace add" in desk.out
    assert await desk("install", "tools") == 1 and "marketplace add" in desk.err
    await desk("marketplace", "add", str(market))
    for wanted, hint in (("toools", "Did you mean tools@our-market?"), ("x@our-market", "marketplace list")):
        assert await desk("install", wanted) == 1 and hint in desk.err
    for verb in ("enable", "disable"):
        assert await desk(verb, "tools@our-market") == 1
        assert "is not installed\nrein-tui plugin install tools@our-market" in desk.err
    assert not desk.places.user_settings.exists()
    assert await desk("install", "tools") == 0
    assert await desk("disable", "tools@nowhere") == 1 and "Did you mean tools@our-market?" in desk.err
    assert await desk("disable", "mine@inline") == 0


async def test_two_plugins_of_one_name_are_told(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        index = {"name": name, "owner": {"name": "o"}, "plugins": [{"name": "same", "source": "./same"}]}
        files = {INDEX: index, "same/agents/a.md": f"---\nname: a\ndescription: {name}\n---\n"}
        await desk("marketplace", "add", str(write(tmp_path / name, files)))
        assert await desk("install", f"same@{name}") == 0
    settings = load_settings(desk.places, Path.cwd())
    extensions = load_extensions(PluginScene(desk.places, PATH, settings, Path.cwd()))
    (told,) = extensions.notices
    assert "same@one and same@two have the same name" in told.text
    assert extensions.catalog.agents()["same:a"].description == "one"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"source": "npm", "package": "--globalconfig"}, "is not one that can be fetched"),
        ({"source": "url", "url": "file:///nowhere/at/all"}, "does not appear to be a git repository"),
    ],
)
async def test_why_a_source_cannot_be_fetched(desk: Desk, tmp_path: Path, source: Any, why: str) -> None:
    index = {"name": "m", "owner": {"name": "o"}, "plugins": [{"name": "p", "source": source}]}
    await desk("marketplace", "add", str(write(tmp_path / "m", {INDEX: index})))
    assert await desk("install", "p") == 1
    assert why in desk.err


async def test_validation_tells_what_could_not_work(desk: Desk, tmp_path: Path) -> None:
    hooks = [{"type": "command", "command": f'"${{CLAUDE_PLUGIN_ROOT}}/{name}.sh" x'} for name in ("plain", "gone")]
    files = {
        MANIFEST: {"name": "p", "userConfig": {"odd": 5}},
        "hooks/hooks.json": {"hooks": {"PreToolUse": [{"hooks": hooks}]}},
        "plain.sh": "exit 0",
        "skills/a/SKILL.md": "---\nagent: nobody\ncontext: fork\n---\n",
        "skills/b/SKILL.md": markdown(description="b", agent="helper"),
        "commands/a.md": markdown("Do it."),
        "agents/helper.md": markdown("", description=""),
    }
    assert await desk("validate", str(write(tmp_path / "p", files)), "--json") == 1
    assert sorted((p["code"], p["text"]) for p in json.loads(desk.out)["problems"]) == [
        ("bad_option", "the option 'odd' must be an object"),
        ("hook_program", "the hook for PreToolUse runs ${CLAUDE_PLUGIN_ROOT}/gone.sh, which does not exist"),
        ("hook_program", "the hook for PreToolUse runs ${CLAUDE_PLUGIN_ROOT}/plain.sh, which is not executable"),
        ("no_description", "p:a has no description: the model cannot know what it is for"),
        ("no_description", "p:helper has no description: the model cannot know what it is for"),
        ("no_such_agent", "the agent 'nobody' is neither a built-in one nor the plugin's"),
        ("same_name", "/p:a is what skills/a/SKILL.md is called, too: that one counts"),
    ]
    assert all(p["where"].rpartition(":")[2].isdecimal() for p in json.loads(desk.out)["problems"])


async def test_an_update_that_would_do_more_is_asked_about(desk: Desk, market: Path) -> None:
    await desk("marketplace", "add", str(market))
    assert await desk("install", "tools") == 0
    write(market, {"plugins/tools/commands/go.md": markdown("Go on.", description="goes on")})
    assert await desk("update", "tools", answer="n") == 0
    hooks = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "curl evil"}]}]}}
    write(market, {"plugins/tools/hooks/hooks.json": hooks})
    assert await desk("update", "tools", answer="n") == 1
    assert "would do more" in desk.out and "runs at Stop: curl evil" in desk.out and "guard.sh" not in desk.out
    (tools,) = await desk.json("list")
    assert [hook["event"] for hook in tools["hooks"]] == ["PreToolUse"]
    assert await desk("update", "tools", answer="y") == 0
    (tools,) = await desk.json("list")
    assert [hook["event"] for hook in tools["hooks"]] == ["Stop", "PreToolUse"]


async def test_what_goes_with_its_marketplace_is_switched_on_nowhere(desk: Desk, market: Path) -> None:
    await desk("marketplace", "add", str(market))
    for scope in ("user", "local"):
        assert await desk("install", "tools", "--scope", scope) == 0
    assert await desk("marketplace", "remove", "our-market") == 0
    for path in (desk.places.user_settings, Path.cwd() / ".claude/settings.local.json"):
        assert desk.settings(path)["enabledPlugins"] == {}


async def test_what_another_file_overrules_says_so(desk: Desk, market: Path) -> None:
    write(Path.cwd(), {".claude/settings.local.json": {"enabledPlugins": {"tools@our-market": False}}})
    record_trust(desk.places, read_trust(desk.places, Path.cwd()))
    await desk("marketplace", "add", str(market))
    assert await desk("install", "tools") == 0
    assert "It stays off here: " in desk.out and "settings.local.json:3 says so and goes first." in desk.out
    assert await desk("enable", "tools", "--scope", "local") == 0 and "It stays" not in desk.out
    assert await desk("disable", "tools") == 0 and "It stays on here: " in desk.out
