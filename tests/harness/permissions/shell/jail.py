"""A jail of stub programs for real bash: each stub only notes that it started.

Wrappers and interpreters that the lines use are the real ones, found by name inside the jail. Nothing a line can
name does any harm: the denied program, `zap`, exists nowhere else.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

REAL = (
    *("bash", "sh", "env", "timeout", "nice", "nohup", "xargs", "find", "sed", "awk", "cat", "ls", "sort", "setsid"),
    *("grep", "rg", "jq", "ps", "xxd", "od", "base64", "tail", "df", "wc"),
)
STUBS = ("zap", "ok", "other")


class Jail:
    """One folder with a PATH of its own."""

    def __init__(self, root: Path) -> None:
        self.log = root / "started"
        self.bin = root / "bin"
        self.work = root / "work"
        self.bin.mkdir(parents=True)
        self.work.mkdir()
        for name in STUBS:
            stub = self.bin / name
            stub.write_text(f'#!/bin/sh\necho {name} >> "{self.log}"\n')
            stub.chmod(0o755)
        for name in REAL:
            found = shutil.which(name)
            if found:
                (self.bin / name).symlink_to(found)
        for name in ("zap", "ok", "f"):
            (self.work / name).write_text("x\n")

    def files(self) -> dict[str, bytes]:
        """What lies in the work folder."""
        return {path.name: path.read_bytes() for path in self.work.rglob("*") if path.is_file()}

    def run(self, line: str) -> set[str]:
        """The stubs that real bash starts for this line."""
        self.log.unlink(missing_ok=True)
        environment = {"PATH": str(self.bin), "HOME": str(self.work), "FUNCNEST": "20", "LC_ALL": "C.UTF-8"}
        bash = shutil.which("bash") or "/bin/bash"
        process = subprocess.Popen(
            [
                bash,
                "--noprofile",
                "--norc",
                "-c",
                'ulimit -t 2 -f 1000 -c 0; exec "$0" --noprofile --norc -c "$1"',
                bash,
                line,
            ],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return set(self.log.read_text().split()) if self.log.exists() else set()
