"""Inside the sandbox: hand a listening socket out to `sandbox_proxy`, then become the command.

Run as `python -m rein_tui.harness.permissions.sandbox_inside PROGRAM ARGS…`. Fails closed: without a way out the
command does not start (exit code 126).
"""

import os
import socket
import sys
from collections.abc import Sequence

from .sandbox_proxy import CANNOT_RUN, DESCRIPTOR

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def main(command: Sequence[str]) -> int:
    """Open the way out, then run. Returns only when that fails."""
    try:
        with socket.socket() as listener, socket.socket(fileno=int(os.environ.pop(DESCRIPTOR))) as channel:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            socket.send_fds(channel, [b"."], [listener.fileno()])
            port = listener.getsockname()[1]
        for name in ("NO_PROXY", "no_proxy"):
            os.environ.pop(name, None)
        os.environ.update(dict.fromkeys(_VARIABLES, f"http://127.0.0.1:{port}"))
        os.execvp(command[0], list(command))  # noqa: S606 (becoming the program is the point)
    except (KeyError, ValueError, IndexError, OSError) as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
    return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
