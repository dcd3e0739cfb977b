"""The sandboxes of this machine, with real commands in them."""

import http.server
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.landlock import abi_version
from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.permissions.sandbox import (
    Bounds,
    Sandbox,
    SandboxUnavailable,
    bounds_of,
    bubblewrap_arguments,
    bubblewrap_problem,
    landlock_limits,
    landlock_prefix,
    sandbox_wrap,
)
from rein_tui.harness.permissions.sandbox_guard import protected_entries, put_aside
from rein_tui.harness.permissions.sandbox_proxy import host_allowed
from rein_tui.harness.permissions.shell.excluded import is_excluded
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Layer, PermissionQuery
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings import Settings
from rein_tui.harness.settings.load import assemble, layer_from_data
from rein_tui.harness.tools.bash import Shell
from rein_tui.harness.wiring.containment import Containment

BWRAP = shutil.which("bwrap") or ""
needs_bubblewrap = pytest.mark.skipif(
    not BWRAP or bool(bubblewrap_problem(BWRAP or "bwrap")), reason="bubblewrap cannot run here"
)


def settings(places: Places, sandbox: Any) -> Settings:
    path = str(places.user_settings)
    layer, notices, _ = layer_from_data("user", path, {"sandbox": sandbox}, str(places.config))
    return assemble([layer], notices, {}, True)


def space(places: Places, root: Path) -> Workspace:
    return Workspace(root=root, cwd=root, home=places.home)


def run(sandbox: Sandbox, script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    argv = sandbox(["bash", "--noprofile", "--norc", "-c", script])
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def furnished(places: Places, root: Path) -> Path:
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / ".git" / "config").write_text("old")
    (root / ".mcp.json").write_text("{}")
    (root / "a.txt").write_text("a")
    (places.home / ".ssh").mkdir()
    (places.home / ".ssh" / "id").write_text("secret")
    places.data.mkdir(parents=True)
    (places.data / "sessions.db").write_text("story")
    return root


def test_none_is_wanted(places: Places, root: Path) -> None:
    assert sandbox_wrap(settings(places, {}), space(places, root)) is None
    assert sandbox_wrap(settings(places, {"enabled": False}), space(places, root)) is None


def test_bounds(places: Places, furnished: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (furnished / "keep").mkdir()
    wanted = {
        "enabled": True,
        "filesystem": {"allowWrite": [str(tmp_path / "out"), "/nowhere"], "denyWrite": [str(furnished / "keep")]},
        "network": {"allowedDomains": ["*"]},
    }
    bounds = bounds_of(settings(places, wanted), space(places, furnished), places)
    assert bounds.writable == (str(furnished), str(tmp_path / "out"))
    names = {str(furnished / name) for name in (".git/config", ".git/hooks", ".mcp.json", "keep")}
    assert names == set(bounds.frozen)
    assert bounds.masked == (str(furnished / ".claude"),)
    assert set(bounds.hidden) >= {str(places.home / ".ssh"), str(places.data)}
    assert bounds.network and "--unshare-net" not in bubblewrap_arguments(bounds)


def test_paths_begin_at_the_folder_of_their_file(places: Places, root: Path) -> None:
    for folder in (places.config, root):
        (folder / "cache").mkdir(parents=True)
    sandbox = {"sandbox": {"enabled": True, "filesystem": {"allowWrite": ["./cache"]}}}
    project = layer_from_data("project", str(root / ".claude/settings.json"), sandbox, str(root))[0]
    layers = [project, layer_from_data("user", str(places.user_settings), sandbox, str(places.config))[0]]
    for layer, folder in zip(layers, (root, places.config), strict=True):
        bounds = bounds_of(assemble([layer], (), {}, True), space(places, root))
        assert bounds.writable == (str(root), str(folder / "cache"))
    both = bounds_of(assemble(layers, (), {}, True), space(places, root))
    assert both.writable == (str(root), str(root / "cache"), str(places.config / "cache"))


def test_lists_of_the_wrong_kind_open_nothing(places: Places, furnished: Path) -> None:
    wrong = {"enabled": True, "filesystem": {"allowWrite": "/"}, "network": {"allowedDomains": "*", "deniedDomains": 1}}
    bounds = bounds_of(settings(places, wrong), space(places, furnished), places)
    assert bounds.writable == (str(furnished),)
    assert not bounds.network and bounds.allowed_hosts == () and bounds.denied_hosts == ("*",)


def test_what_it_cannot_do_is_said(places: Places, root: Path) -> None:
    wanted = {"enabled": True, "network": {"allowedDomains": ["x.org"], "allowLocalBinding": True}}
    found = sandbox_wrap(settings(places, wanted), space(places, root))
    assert isinstance(found, Sandbox | SandboxUnavailable)
    if isinstance(found, Sandbox):
        assert any("allowLocalBinding" in limit for limit in found.limits)
        assert found.kind == "landlock" or "x.org" in found.prefix


@needs_bubblewrap
def test_bubblewrap_holds(places: Places, furnished: Path) -> None:
    found = sandbox_wrap(settings(places, {"enabled": True}), space(places, furnished), places)
    assert isinstance(found, Sandbox) and found.kind == "bubblewrap"
    script = f"""
        echo new > a.txt && echo wrote
        echo evil > .git/config; echo evil > .git/hooks/pre-commit; echo evil > .mcp.json
        mkdir -p .claude && echo evil > .claude/settings.json
        echo evil > {places.home}/.bashrc; echo evil > /etc/evil
        cat {places.home}/.ssh/id {places.data}/sessions.db
    """
    done = run(found, script, furnished)
    assert "wrote" in done.stdout and "secret" not in done.stdout and "story" not in done.stdout
    assert (furnished / "a.txt").read_text() == "new\n"
    assert (furnished / ".git/config").read_text() == "old"
    assert (furnished / ".mcp.json").read_text() == "{}"
    assert list((furnished / ".git/hooks").iterdir()) == []
    assert not (furnished / ".claude/settings.json").exists()
    assert not (places.home / ".bashrc").exists()
    assert not Path("/etc/evil").exists()


@needs_bubblewrap
def test_bubblewrap_has_no_network(places: Places, root: Path) -> None:
    found = sandbox_wrap(settings(places, {"enabled": True}), space(places, root))
    assert isinstance(found, Sandbox)
    assert not reaches(found, root)


@pytest.mark.parametrize(
    ("host", "allowed", "denied", "passes"),
    [
        ("x.org", ["x.org"], [], True),
        ("X.ORG.", ["x.org"], [], True),
        ("a.x.org", ["x.org"], [], False),
        ("a.b.x.org", ["*.x.org"], [], True),
        ("x.org", ["*.x.org"], [], False),
        ("evilx.org", ["*.x.org"], [], False),
        ("y.org", ["*"], ["y.org"], False),
        ("a.y.org", ["*"], ["*.y.org"], False),
        ("z.org", ["*"], ["y.org"], True),
        ("x.org\0.evil.org", ["*"], [], False),
        ("x.org/../y", ["*"], [], False),
        ("", ["*"], [], False),
        ("[::1]", ["[::1]"], [], True),
        ("127.0.0.1", ["localhost"], [], False),
    ],
)
def test_hosts(host: str, allowed: list[str], denied: list[str], passes: bool) -> None:
    assert host_allowed(host, allowed, denied) is passes


class Site(http.server.BaseHTTPRequestHandler):
    """Answers every request with its path and the host that it was asked as."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host'].partition(':')[0]} {self.headers['Proxy-Connection']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


FETCH = """
import sys, urllib.request, urllib.error
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except urllib.error.HTTPError as error:
        print(error.code)
"""


@needs_bubblewrap
def test_single_hosts_are_let_through(places: Places, root: Path) -> None:
    wanted = {"enabled": True, "network": {"allowedDomains": ["localhost"], "deniedDomains": ["*.localhost"]}}
    found = sandbox_wrap(settings(places, wanted), space(places, root), places)
    assert isinstance(found, Sandbox)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_address[1]
        urls = (f"http://localhost:{port}/a?b=c", f"http://127.0.0.1:{port}/", f"http://a.localhost:{port}/")
        script = shlex.join([sys.executable, "-c", FETCH, *urls])
        done = run(found, f"{script}; exec 3<>/dev/tcp/127.0.0.1/{port} || exit 7", root)
        server.shutdown()
        thread.join()
    assert done.stdout.splitlines() == ["/a?b=c localhost None", "403", "403"], done.stderr
    assert done.returncode == 7


@needs_bubblewrap
@pytest.mark.parametrize("hosts", [[], ["x.org"]])
def test_the_shell_keeps_its_folder_and_its_variables(places: Places, root: Path, hosts: list[str]) -> None:
    wanted = {"enabled": True, "network": {"allowedDomains": hosts}}
    found = sandbox_wrap(settings(places, wanted), space(places, root), places)
    assert isinstance(found, Sandbox)
    (root / "sub").mkdir()
    places.data.mkdir(parents=True)
    variables = places.data / "environment.sh"
    variables.write_text("export FROM_HOOK=yes\n")
    shell = Shell(spool_folder=root, wrap=found, env_file=variables)
    with tempfile.TemporaryDirectory() as folder:
        argv = shell.argv("cd sub; echo $FROM_HOOK; touch $(mktemp)", str(Path(folder, "cwd")))
        done = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=60, check=False)
        assert (done.stdout, done.stderr, done.returncode) == ("yes\n", "", 0)
        assert Path(folder, "cwd").read_text().strip() == str(root / "sub")


@pytest.mark.skipif(abi_version() == 0, reason="this kernel has no Landlock")
def test_landlock_holds(places: Places, root: Path, tmp_path: Path) -> None:
    bounds = Bounds((str(root),), (), (), (), network=False)
    sandbox = Sandbox("landlock", landlock_prefix(bounds), landlock_limits(abi_version(), bounds))
    outside = tmp_path / "outside"
    done = run(sandbox, f"echo x > inside && echo wrote; echo x > {outside}; echo x > /dev/null && echo null", root)
    assert done.stdout == "wrote\nnull\n", done.stderr
    assert (root / "inside").exists() and not outside.exists()
    if abi_version() >= 4:
        assert not reaches(sandbox, root)


def test_landlock_fails_closed(root: Path) -> None:
    for words in ([], ["--write", str(root)], ["--write", str(root), "--"]):
        command = [sys.executable, "-P", "-m", "rein_tui.harness.permissions.landlock", *words]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60, env={**os.environ})
        assert done.returncode == 126


def test_a_missing_sandbox_can_stop_the_start(places: Places, root: Path, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    fake.chmod(0o755)
    assert bubblewrap_problem(str(fake)) == "broken"
    wanted = {"enabled": True, "failIfUnavailable": True, "bwrapPath": str(fake)}
    found = sandbox_wrap(settings(places, wanted), space(places, root))
    if abi_version() == 0:
        assert isinstance(found, SandboxUnavailable) and found.must_stop and "broken" in found.reason
    else:
        assert isinstance(found, Sandbox) and found.kind == "landlock"


def reaches(sandbox: Sandbox, cwd: Path) -> bool:
    """Whether a sandboxed command can connect to a loopback server of ours."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        done = run(sandbox, f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected", cwd)
        return "connected" in done.stdout


def layered(places: Places, root: Path, **sandboxes: Any) -> Settings:
    bases: dict[Layer, Path] = {"managed": places.managed, "user": places.config, "project": root}
    layers = [
        layer_from_data(name, f"/{name}.json", {"sandbox": sandboxes[name]}, str(base))[0]
        for name, base in bases.items()
        if name in sandboxes
    ]
    return assemble(layers, (), {}, True)


def test_what_is_hidden_can_be_opened_again_but_not_by_a_project(places: Places, furnished: Path) -> None:
    ssh, npm = places.home / ".ssh", places.home / ".npmrc"
    npm.write_text("registry")
    mine = {"enabled": True, "filesystem": {"allowRead": ["~/.ssh/id", str(places.data), "/"]}}
    theirs = {"filesystem": {"allowRead": ["~/.npmrc"]}}
    here = space(places, furnished)
    bounds = bounds_of(layered(places, furnished, user=mine, project=theirs), here, places)
    assert bounds.opened == (str(ssh / "id"),)  # never our own data, nor what it lies in
    locked = {"filesystem": {"allowManagedReadPathsOnly": True, "allowRead": ["~/.npmrc"]}}
    bounds = bounds_of(layered(places, furnished, managed=locked, user=mine), here, places)
    assert bounds.opened == (str(npm),)


@needs_bubblewrap
def test_opened_files_can_be_read(places: Places, furnished: Path) -> None:
    (places.home / ".ssh" / "known").write_text("hosts")
    wanted = {"enabled": True, "filesystem": {"allowRead": ["~/.ssh/known"]}}
    found = sandbox_wrap(settings(places, wanted), space(places, furnished), places)
    assert isinstance(found, Sandbox)
    done = run(found, f"cat {places.home}/.ssh/*; echo x >> {places.home}/.ssh/known", furnished)
    assert done.stdout == "hosts" and (places.home / ".ssh" / "known").read_text() == "hosts"


def nested(tmp_path: Path) -> str:
    """A bubblewrap that cannot mount /proc, as in a container."""
    fake = tmp_path / "bwrap"
    fake.write_text(
        f'#!/bin/sh\nfor w; do [ "$w" = --proc ] && echo "no proc" >&2 && exit 1; done\nexec {BWRAP} "$@"\n'
    )
    fake.chmod(0o755)
    return str(fake)


@needs_bubblewrap
def test_a_weaker_sandbox_only_when_the_person_wants_it(places: Places, furnished: Path, tmp_path: Path) -> None:
    here, path = space(places, furnished), nested(tmp_path)
    weaker = {"enabled": True, "bwrapPath": path, "enableWeakerNestedSandbox": True}
    found = sandbox_wrap(layered(places, furnished, user=weaker), here, places)
    assert isinstance(found, Sandbox) and found.kind == "bubblewrap" and not found.contains
    assert any("can be seen" in limit for limit in found.limits)
    assert run(found, "echo x > a.txt; echo x > /etc/evil; cat ~/.ssh/id", furnished).stdout == ""
    assert (furnished / "a.txt").read_text() == "x\n" and not Path("/etc/evil").exists()
    user = {"enabled": True, "bwrapPath": path}
    found = sandbox_wrap(layered(places, furnished, user=user, project={"enableWeakerNestedSandbox": True}), here)
    assert not isinstance(found, Sandbox) or found.kind == "landlock"


@pytest.mark.parametrize(
    ("command", "is_outside"),
    [
        ("docker ps", True),
        ("docker", True),
        ("timeout 5 docker build .", True),
        ("docker ps && docker images", True),
        ("make image", True),
        ("docker ps && ls", False),
        ("docker ps | sh", False),
        ("dockerd", False),
        ("make image x", False),
        ("LD_PRELOAD=x docker ps", False),
        ("docker $(ls)", False),
        ("echo docker ps", False),
        ("", False),
    ],
)
def test_which_lines_run_outside(command: str, is_outside: bool) -> None:
    assert is_excluded(command, ["docker", "make image"], home="/h", cwd="/w") is is_outside
    assert not is_excluded(command, ["*"], home="/h", cwd="/w")


def contained(places: Places, root: Path, **sandbox: Any) -> Containment:
    return Containment(layered(places, root, user={"enabled": True, **sandbox}), space(places, root), places)


@needs_bubblewrap
def test_a_line_that_runs_outside_asks_again(places: Places, furnished: Path) -> None:
    containment = contained(places, furnished, excludedCommands=["touch"])
    here = space(places, furnished)
    policy = Policy(layered(places, furnished, user={"enabled": True}), here, places)
    policy.contain(containment.contains)
    for command, outcome in (("touch x", "ask"), ("touch x && rm y", "allow"), ("rm y", "allow")):
        decision = policy.decide(PermissionQuery(tool="Bash", input={"command": command}, cwd=str(furnished)))
        assert decision.outcome == outcome, decision
    shell = Shell(spool_folder=furnished, wrap=containment, runs_outside=containment.is_outside)
    assert shell.argv("touch x", "")[0].endswith("bash") and shell.argv("rm y", "")[0] == BWRAP


@needs_bubblewrap
def test_settings_and_folders_hold_from_the_next_command_on(places: Places, furnished: Path, tmp_path: Path) -> None:
    here = space(places, furnished)
    containment = Containment(layered(places, furnished), here, places)
    assert containment(["true"]) == ["true"] and not containment.contains("true") and containment.notice() is None
    told = containment.use(layered(places, furnished, user={"enabled": True}))
    assert told is not None and "sandbox (bubblewrap)" in told.text and containment.contains("true")
    more = tmp_path / "more"
    more.mkdir()
    here.additional.append(more)
    (furnished / ".envrc").write_text("mine")
    script = f"echo evil > {furnished}/.envrc; echo x > {more}/x; echo x > /etc/evil"
    subprocess.run(containment(["bash", "-c", script]), cwd=furnished, check=False, capture_output=True, timeout=60)
    assert (furnished / ".envrc").read_text() == "mine" and (more / "x").exists()
    told = containment.use(layered(places, furnished, user={"enabled": False}))
    assert told is not None and "without a sandbox" in told.text and containment(["true"]) == ["true"]
    broken = {"enabled": True, "failIfUnavailable": True, "bwrapPath": "/no/bwrap"}
    told = containment.use(layered(places, furnished, user=broken))
    if abi_version() == 0:
        assert told is not None and "No command runs" in told.text
        with pytest.raises(OSError, match="no sandbox"):
            containment(["true"])


@needs_bubblewrap
def test_protected_files_that_a_command_makes_are_put_aside(places: Places, root: Path) -> None:
    for folder in (root / "old" / ".git", root / ".git"):
        folder.mkdir(parents=True)
    (root / ".git" / "config").write_text("[core]\n")
    containment = contained(places, root)
    script = """
        echo evil > .envrc; ln -s /tmp .vscode; mkdir .husky; echo evil > .husky/pre-commit; echo fine > a.txt
        echo evil > .git/hooks/pre-commit; echo evil > .claude/settings.json; echo evil > .MCP.json
    """
    look_after = containment.guard(script)
    assert look_after is not None
    subprocess.run(containment(["bash", "-c", script]), cwd=root, check=False, capture_output=True, timeout=60)
    told = look_after()
    assert {path.name for path in root.iterdir()} == {"old", ".git", "a.txt"}
    assert all(name in told for name in (".envrc", ".vscode", ".husky", ".MCP.json")) and "a.txt" not in told
    assert not any(Path(root, ".git", "hooks").iterdir())
    kept = {path.name for path in (places.data / "put-aside").glob("*/*")}
    assert kept == {".envrc", ".vscode", ".husky", ".MCP.json"}


@pytest.mark.parametrize(
    ("more", "stays"),
    [("", True), ("git config core.fsmonitor 'touch x'", False), ("echo x > .git/hooks/pre-push", False)],
)
def test_a_new_repository_stays_as_long_as_it_runs_nothing(places: Places, root: Path, more: str, stays: bool) -> None:
    before = protected_entries([str(root)])
    subprocess.run(["bash", "-c", f"git init -q; {more}"], cwd=root, check=True, capture_output=True)
    moved = put_aside(before, [str(root)], places.data / "aside")
    assert bool(moved) != stays
    assert (root / ".git").exists() == (stays or "hooks" in more) and not (root / ".git/hooks/pre-push").exists()
