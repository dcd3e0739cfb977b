"""The sandbox's only way out: a proxy that lets single hosts through.

Run as `python -m rein_tui.harness.permissions.sandbox_proxy --allow HOST … --deny HOST … -- BWRAP …`. The command in
the sandbox has a network of its own with nothing in it. `sandbox_inside` opens a listening socket there and hands it
out to us; whoever connects to it is answered from out here, for hosts that are allowed, and for nothing else. It
ends with the command.
"""

import os
import re
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

DESCRIPTOR = "REIN_TUI_SANDBOX_DESCRIPTOR"
CANNOT_RUN = 126

_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_HEAD_LIMIT = 64 * 1024
_CHUNK = 64 * 1024
_PATIENCE = 30.0


def host_allowed(host: str, allowed: Iterable[str], denied: Iterable[str]) -> bool:
    """Whether a host may be reached: named by an allowed pattern and by no denied one."""
    if not _HOST.fullmatch(host):
        return False
    return any(_fits(host, one) for one in allowed) and not any(_fits(host, one) for one in denied)


def _fits(host: str, pattern: str) -> bool:
    """`*` is every host, `*.x.org` every host below x.org; case and a final dot do not matter."""
    name, wanted = host.lower().rstrip("."), pattern.lower().rstrip(".")
    if wanted.startswith("*."):
        return name.endswith(wanted[1:]) and len(name) > len(wanted) - 1
    return wanted in ("*", name)


class Gate:
    """Answers the connections that come out of the sandbox."""

    def __init__(self, allowed: Sequence[str], denied: Sequence[str]) -> None:
        self._allowed = allowed
        self._denied = denied

    def serve(self, channel: socket.socket) -> None:
        """Take the listening socket from the channel and answer until the process ends."""
        _, handed, _, _ = socket.recv_fds(channel, 1, 1)
        if not handed:
            return
        with socket.socket(fileno=handed[0]) as listener:
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            try:
                client.settimeout(_PATIENCE)
                self._connect(client)
            except (OSError, ValueError):
                return  # the client sees its connection close

    def _connect(self, client: socket.socket) -> None:
        head, rest = _head(client)
        method, target, fields = _request(head)
        is_tunnel = method == "CONNECT"
        url = urlsplit(f"//{target}" if is_tunnel else target)
        host, port = url.hostname or "", url.port or (443 if is_tunnel else 80)
        bracketed = f"[{host}]" if ":" in host else host
        if not host_allowed(bracketed, self._allowed, self._denied):
            _refuse(client, "403 Forbidden", f"the sandbox lets nothing through to {bracketed or 'an unnamed host'}")
            return
        try:
            server = socket.create_connection((host, port), timeout=_PATIENCE)
        except OSError as problem:
            _refuse(client, "502 Bad Gateway", f"{bracketed}:{port} cannot be reached: {problem}")
            return
        with server:
            if is_tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = (url.path or "/") + (f"?{url.query}" if url.query else "")
                server.sendall(_plain_request(method, path, url.netloc.rpartition("@")[2], fields))
            if rest:
                server.sendall(rest)
            _pump(client, server)


def _head(client: socket.socket) -> tuple[str, bytes]:
    """The head of a request, and what came after it. Raises ValueError when there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(_CHUNK)
        data += piece
        if not piece or len(data) > _HEAD_LIMIT:
            raise ValueError("no request")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _request(head: str) -> tuple[str, str, list[str]]:
    first, *fields = head.split("\r\n")
    method, target, _ = first.split(" ")
    return method, target, fields


def _plain_request(method: str, path: str, host: str, fields: Sequence[str]) -> bytes:
    """One request for the server itself; the connection carries no second one."""
    dropped = ("host:", "connection:", "proxy-", "keep-alive:")
    kept = [field for field in fields if not field.lower().startswith(dropped)]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *kept, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _refuse(client: socket.socket, status: str, why: str) -> None:
    body = f"rein-tui: {why}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    client.sendall(head.encode() + body)


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides are done."""
    one.settimeout(None)
    other.settimeout(None)
    open_sides = {one: other, other: one}
    while open_sides:
        for side in select.select(list(open_sides), [], [])[0]:
            data = side.recv(_CHUNK)
            if data:
                open_sides[side].sendall(data)
            else:
                open_sides.pop(side).shutdown(socket.SHUT_WR)


def main(arguments: Sequence[str]) -> int:
    """Open the gate, run the command, end with its exit code."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    named, command = list(pairwise(arguments[:at])), arguments[at + 1 :]
    gate = Gate([host for flag, host in named if flag == "--allow"], [host for flag, host in named if flag == "--deny"])
    ours, theirs = socket.socketpair()
    environment = {**os.environ, DESCRIPTOR: str(theirs.fileno())}
    try:
        child = subprocess.Popen(command, env=environment, pass_fds=(theirs.fileno(),))
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
        return CANNOT_RUN
    theirs.close()
    threading.Thread(target=gate.serve, args=(ours,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
