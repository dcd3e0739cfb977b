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
from rein_tui.harness.permissions.sandbox_proxy import host_allowed
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings import Settings
from rein_tui.harness.settings.load import assemble, layer_from_data
from rein_tui.harness.tools.bash import Shell

BWRAP = shutil.which("bwrap") or ""


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
    wanted = {"enabled": True, "excludedCommands": ["docker"], "network": {"allowedDomains": ["x.org"]}}
    found = sandbox_wrap(settings(places, wanted), space(places, root))
    assert isinstance(found, Sandbox | SandboxUnavailable)
    if isinstance(found, Sandbox):
        assert any("excludedCommands" in limit for limit in found.limits)
        assert found.kind == "landlock" or "x.org" in found.prefix


@pytest.mark.skipif(not BWRAP or bool(bubblewrap_problem(BWRAP or "bwrap")), reason="bubblewrap cannot run here")
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


@pytest.mark.skipif(not BWRAP or bool(bubblewrap_problem(BWRAP or "bwrap")), reason="bubblewrap cannot run here")
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


@pytest.mark.skipif(not BWRAP or bool(bubblewrap_problem(BWRAP or "bwrap")), reason="bubblewrap cannot run here")
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


@pytest.mark.skipif(not BWRAP or bool(bubblewrap_problem(BWRAP or "bwrap")), reason="bubblewrap cannot run here")
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
