"""Where marketplaces and plugins are fetched from: folders, files, git, archives, npm. Everything lands in a folder.

Programs are started with argument lists and told not to ask, not to run hooks and not to run package scripts.
"""

import asyncio
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..processes.process import child_environment, run_process
from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from .archives import unpack

GIT_TIMEOUT = 300.0
NPM_TIMEOUT = 300.0
LARGEST_DOWNLOAD = 256 * 1024 * 1024

_GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_GIT_URL = re.compile(r"(?:https?|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:\S+")
_REF = re.compile(r"[A-Za-z0-9_][\w./-]*")
_SHA = re.compile(r"[0-9a-fA-F]{7,64}")
_PACKAGE = re.compile(r"(?:@[a-z0-9~][\w.~-]*/)?[a-z0-9~][\w.~-]*")
_WHY = re.compile(r"(?:fatal: |error: |npm (?:error|ERR!) (?!code |A complete log)(?:E?\w+ )?)(\S.*)")
_VERSION = re.compile(r"[\w.^~+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: the folder, and the commit it is of (git)."""

    folder: Path
    commit: str = ""


def source_of(text: str, cwd: Path) -> JsonObject:
    """What a person means by `owner/repo`, a URL or a path, as a marketplace source. Raises ConfigError."""
    place, _, ref = text.partition("#")
    named: JsonObject = {"ref": ref} if ref else {}
    path = Path(text).expanduser()
    path = path if path.is_absolute() else cwd / path
    if text.startswith((".", "/", "~")) or path.exists():
        if path.is_file():
            return {"source": "file", "path": str(path)}
        if path.is_dir():
            return {"source": "directory", "path": str(path)}
        raise ConfigError("does not exist", where=str(path))
    repository, _, at = place.partition("@")
    if _GITHUB.fullmatch(repository):
        return {"source": "github", "repo": repository, **({"ref": at} if at else named)}
    if place.startswith(("http://", "https://")) and place.endswith(".json"):
        return {"source": "url", "url": place}
    if place.startswith("npm:"):
        return {"source": "npm", "package": place[4:]}
    if _GIT_URL.fullmatch(place):
        return {"source": "git", "url": place, **named}
    raise ConfigError(
        f"{text!r} is no marketplace that I know how to fetch",
        hint="Give a folder, a marketplace.json, owner/repo, a git URL, or npm:PACKAGE.",
    )


class Fetcher:
    """Fetches sources into folders. `environment` is where programs get their PATH and proxies from."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def fetch(self, source: JsonObject, into: Path) -> Fetched:
        """Bring a source into a folder that does not exist yet. Raises ConfigError."""
        kind = source.get("source")
        if kind == "github":
            repository = _checked(source, "repo", _GITHUB)
            return await self._git(f"https://github.com/{repository}.git", source, into)
        if kind in ("git", "url", "git-subdir") and not _text(source, "url").endswith(".json"):
            fetched = await self._git(_checked(source, "url", _GIT_URL), source, into)
            return Fetched(_below(fetched.folder, _text(source, "path")), fetched.commit)
        if kind == "url":
            await self._index(_text(source, "url"), into)
            return Fetched(into)
        if kind == "archive":
            return Fetched(await self._archive(source, into))
        if kind == "npm":
            return Fetched(await self._npm(source, into))
        raise ConfigError(f"a source of kind {kind!r} is not fetched here")

    async def _git(self, url: str, source: JsonObject, into: Path) -> Fetched:
        ref, sha = _text(source, "ref"), _text(source, "sha")
        if (ref and not _REF.fullmatch(ref)) or (sha and not _SHA.fullmatch(sha)):
            raise ConfigError(f"{sha or ref!r} is no name of a version in git", where=url)
        branch = ["--branch", ref] if ref and not sha else []
        depth = [] if sha else ["--depth", "1"]
        await self._run(
            ["git", *_QUIET, "clone", "-q", *depth, *branch, "--", url, str(into)], into.parent, GIT_TIMEOUT
        )
        if sha:
            await self._run(["git", *_QUIET, "checkout", "-q", "--detach", sha], into, GIT_TIMEOUT)
        commit = await self._run(["git", *_QUIET, "rev-parse", "HEAD"], into, GIT_TIMEOUT)
        return Fetched(into, commit.strip())

    async def _index(self, url: str, into: Path) -> None:
        content = await asyncio.to_thread(_download, url)
        path = into / ".claude-plugin" / "marketplace.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    async def _archive(self, source: JsonObject, into: Path) -> Path:
        content = await asyncio.to_thread(_download, _text(source, "url"))
        return await asyncio.to_thread(unpack, content, into, _text(source, "sha256"))

    async def _npm(self, source: JsonObject, into: Path) -> Path:
        package = _checked(source, "package", _PACKAGE)
        version = _text(source, "version")
        if version and not _VERSION.fullmatch(version):
            raise ConfigError(f"{version!r} is no version of a package", where=package)
        registry = _text(source, "registry")
        chosen = ["--registry", registry] if registry.startswith(("https://", "http://")) else []
        packed = into.with_name(into.name + "-packed")
        packed.mkdir(parents=True)
        try:
            wanted = f"{package}@{version}" if version else package
            argv = ["npm", "pack", *_FEW_WORDS, "--pack-destination", str(packed), *chosen, "--", wanted]
            await self._run(argv, packed, NPM_TIMEOUT)
            archive = next(iter(sorted(packed.glob("*.tgz"))), None)
            if archive is None:
                raise ConfigError("npm packed nothing", where=wanted)
            return await asyncio.to_thread(unpack, archive.read_bytes(), into)
        finally:
            shutil.rmtree(packed, ignore_errors=True)

    async def install_dependencies(self, folder: Path) -> str:
        """What a lock file pins, without running package scripts; why it failed, or empty. Nobody waits for it."""
        for lock, argv in _LOCKS.items():
            if (folder / lock).is_file() and shutil.which(argv[0], path=self._environment.get("PATH")):
                try:
                    await self._run(list(argv), folder, NPM_TIMEOUT)
                except ConfigError as problem:
                    return problem.message
        return ""

    async def _run(self, argv: list[str], cwd: Path, seconds: float) -> str:
        environment = child_environment({"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}, self._environment)
        try:
            done = await run_process(argv, cwd=str(cwd), env=environment, timeout=seconds)
        except OSError as problem:
            raise ConfigError(f"{argv[0]} cannot be started: {problem.strerror or problem}") from problem
        if done.exit_code != 0 or done.timed_out:
            said = _reason(done.stderr.decode("utf-8", "replace")) or f"exit code {done.exit_code}"
            reason = "it took too long" if done.timed_out else said
            raise ConfigError(f"{argv[0]} failed: {reason}", where=argv[-2] if argv[-3] == "--" else "")
        return done.stdout.decode("utf-8", "replace")


_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.symlinks=true")
_FEW_WORDS = ("--ignore-scripts", "--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier")
_LOCKS = {
    "package-lock.json": ("npm", "ci", *_FEW_WORDS),
    "bun.lock": ("bun", "install", "--frozen-lockfile", "--ignore-scripts"),
}


def _reason(said: str) -> str:
    """The line of git's or npm's words that says why; the last one where none does."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((found[1] for line in lines if (found := _WHY.match(line))), lines[-1] if lines else "")


def _text(source: JsonObject, key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""


def _checked(source: JsonObject, key: str, shape: re.Pattern[str]) -> str:
    value = _text(source, key)
    if not shape.fullmatch(value):
        raise ConfigError(f"the source's `{key}` {value!r} is not one that can be fetched")
    return value


def _below(folder: Path, path: str) -> Path:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ConfigError(f"the source's path {path!r} leads out of its repository")
    if not (folder / path).is_dir():
        raise ConfigError(f"the source's path {path!r} is no folder of its repository")
    return folder / path


def _download(url: str) -> bytes:
    """The content behind an http(s) address. Raises ConfigError."""
    if not url.startswith(("https://", "http://")):
        raise ConfigError("only http and https addresses are fetched", where=url)
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the scheme is checked above
            content: bytes = answer.read(LARGEST_DOWNLOAD + 1)
    except (urllib.error.URLError, OSError, ValueError) as problem:
        raise ConfigError(f"cannot be fetched: {problem}", where=url) from problem
    if len(content) > LARGEST_DOWNLOAD:
        raise ConfigError(f"is larger than {LARGEST_DOWNLOAD // 1024 // 1024} MiB", where=url)
    return content
