"""Where a plugin's parts are: default folders and the manifest's paths, never outside of the plugin."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from .definitions import markdown_below
from .manifest import Manifest, paths_of


@dataclass(frozen=True, slots=True)
class Layout:
    """One plugin's folder, with its manifest. Problems go to the manifest."""

    root: Path
    manifest: Manifest
    names: frozenset[str] = frozenset()
    _real: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, root: Path, manifest: Manifest) -> "Layout":
        """The layout of a folder, looked at once: most plugins have few of the parts that there may be."""
        try:
            return cls(root, manifest, frozenset(path.name for path in root.iterdir()))
        except OSError:
            return cls(root, manifest)

    def has(self, part: str) -> bool:
        """Whether the first step of a default path is there."""
        return part.split("/", 1)[0] in self.names

    def real(self, path: str) -> str:
        """A path with all links followed: step by step from the plugin's folder, each folder looked up once."""
        known = self._real.get(path)
        if known is None:
            place, name = os.path.split(path)
            if path == str(self.root) or name in ("", ".", "..") or os.path.islink(path):  # noqa: PTH114 - see above
                known = os.path.realpath(path)
            else:
                known = f"{self.real(place)}{os.sep}{name}"
            self._real[path] = known
        return known

    def inside(self, path: Path) -> bool:
        """Whether a path, links followed, is within the plugin."""
        root, real = self.real(str(self.root)), self.real(str(path))
        return real == root or real.startswith(root + os.sep)

    def listed(self, key: str) -> list[Path]:
        """The paths that the manifest gives for a component, as far as they can be used."""
        found: list[Path] = []
        for text, pointer in paths_of(self.manifest, key):
            relative = text.replace("${CLAUDE_PLUGIN_ROOT}/", "./")
            path = Path(os.path.normpath(self.root / relative))
            outside = Path(relative).is_absolute() or ".." in Path(relative).parts or not self.inside(path)
            problem = "leads out of the plugin" if outside else "" if path.exists() else "does not exist"
            if problem and key == "hooks":  # they might have said no
                self.manifest.fail(f"`{key}`: {text!r} {problem}", *pointer)
            elif problem:
                level, code = ("warning", "path_outside") if outside else ("error", "path_missing")
                self.manifest.tell(f"`{key}`: {text!r} {problem}", *pointer, level=level, code=code)
            else:
                if not text.startswith((".", "${")):
                    self.manifest.tell(
                        f"`{key}`: paths begin with ./, as in ./{text}", *pointer, level="info", code="path_form"
                    )
                found.append(path)
        return found

    def markdown(self, key: str, default: str) -> list[tuple[Path, str]]:
        """The markdown files of a component whose key replaces the default folder, each with its folders (`a:b`)."""
        if key in self.manifest.data:
            roots = self.listed(key)
        else:
            roots = [self.root / default] if self.has(default) else []
        if key in self.manifest.data and (self.root / default).is_dir() and self.root / default not in roots:
            self.manifest.tell(
                f"the folder {default}/ is not read: `{key}` takes its place", key, level="info", code="folder_ignored"
            )
        found: dict[str, tuple[Path, str]] = {}
        for root in roots:
            files = [root] if root.is_file() else markdown_below(root)
            depth = len(root.parts)
            for path in files:
                if not self.inside(path):
                    self._outside(path)
                    continue
                scope = ":".join(path.parts[depth:-1])
                found.setdefault(self.real(str(path)), (path, scope))
        return list(found.values())

    def skills(self) -> list[Path]:
        """The SKILL.md files: of skills/, and of what the manifest adds; the root's own where there is neither."""
        listed = self.listed("skills")
        default = self.root / "skills"
        places: list[Path] = []
        has_default = self.has("skills") and default.is_dir()
        if not self.manifest.exact and has_default:
            places += _skill_folders(default)
        for path in listed:
            places += [path] if (path / "SKILL.md").is_file() else _skill_folders(path)
        if not has_default and "skills" not in self.manifest.data and self.has("SKILL.md"):
            places.append(self.root)
        found: dict[str, Path] = {}
        for place in places:
            if self.inside(place / "SKILL.md"):
                found.setdefault(self.real(str(place / "SKILL.md")), place / "SKILL.md")
            else:
                self._outside(place / "SKILL.md")
        return list(found.values())

    def files(self, key: str, default: str) -> list[Path]:
        """The files of a component whose key adds to the default file, each real file once."""
        path = self.root / default
        paths = [path] if self.has(default) and path.is_file() else []
        found: dict[str, Path] = {}
        for each in [*paths, *self.listed(key)]:
            if self.inside(each):
                found.setdefault(self.real(str(each)), each)
            else:
                self._outside(each)
        return list(found.values())

    def _outside(self, path: Path) -> None:
        self.manifest.tell(f"{path.relative_to(self.root)} is a link that leads out of the plugin", code="path_outside")


def _skill_folders(folder: Path) -> list[Path]:
    """Folders with a SKILL.md, directly below or grouped one level deeper."""
    found: list[Path] = []
    for child in _folders(folder):
        if (child / "SKILL.md").is_file():
            found.append(child)
        else:
            found += [below for below in _folders(child) if (below / "SKILL.md").is_file()]
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())
    except OSError:
        return []
    return [folder / name for name in names]
