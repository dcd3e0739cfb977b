"""Memory files load in order, with imports, rules and excludes, and never from where they must not."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rein_tui.harness.context.markdown import imports_of, split_rule, strip_comments
from rein_tui.harness.context.memory import LARGEST, Memory, MemoryScope
from rein_tui.harness.context.remembered import remembered_in
from rein_tui.harness.places import Places
from rein_tui.harness.settings.layers import Settings


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def scope(places: Places) -> MemoryScope:
    root = places.home / "work" / "project"
    root.mkdir(parents=True)
    return MemoryScope(places=places, cwd=root, root=root)


def texts(memory: Memory) -> list[str]:
    return [file.text for file in memory.files]


def test_order_from_far_to_near(scope: MemoryScope) -> None:
    home, root = scope.places.home, scope.root
    write(root / "CLAUDE.local.md", "local")
    write(root / ".claude/rules/b.md", "rule b")
    write(root / ".claude/rules/sub/a.md", "rule sub a")
    write(root / ".claude/CLAUDE.md", "dot claude")
    write(root / "CLAUDE.md", "project")
    write(home / "work/CLAUDE.md", "work")
    write(home / ".claude/rules/mine.md", "my rule")
    write(home / ".claude/CLAUDE.md", "mine")
    write(scope.places.managed / "CLAUDE.md", "managed")
    memory = Memory.load(scope)
    expected = ["managed", "mine", "my rule", "work", "project", "dot claude", "rule b", "rule sub a", "local"]
    assert texts(memory) == expected
    assert [f.type for f in memory.files][:4] == ["Managed", "User", "User", "Project"]
    assert memory.files[-1].type == "Local"
    assert memory.notices == []
    sources = [source for source, _ in memory.messages()]
    assert sources[0] == str(scope.places.managed / "CLAUDE.md")
    assert memory.messages()[0][1].startswith("Standing instructions")
    assert memory.messages()[1][1].startswith("Contents of ")


def test_an_untrusted_project_says_nothing(scope: MemoryScope) -> None:
    write(scope.root / "CLAUDE.md", "project")
    write(scope.places.config / "CLAUDE.md", "mine")
    memory = Memory.load(replace(scope, project=False))
    assert texts(memory) == ["mine"]
    assert memory.touch(scope.root / "src/a.py") == []


def test_imports(scope: MemoryScope) -> None:
    root = scope.root
    write(root / "docs/a.md", "A imports @b.md")
    write(root / "docs/b.md", "B, and back to @a.md")
    write(scope.places.home / "notes.md", "notes")
    write(
        root / "CLAUDE.md",
        "See @docs/a.md. Not `@docs/b.md`, not me@example.org, not @types/node, but @./gone.md\n```\n@docs/c.md\n```\n",
    )
    memory = Memory.load(scope)
    assert [Path(f.path).name for f in memory.files] == ["CLAUDE.md", "a.md", "b.md"]
    assert memory.files[1].parent == str(root / "CLAUDE.md")
    assert memory.files[1].reason == "include"
    assert [n.code for n in memory.notices] == ["memory.missing_import"]
    assert memory.files[2].payload() == {
        "file_path": str(root / "docs/b.md"),
        "memory_type": "Project",
        "load_reason": "include",
        "parent_file_path": str(root / "docs/a.md"),
    }


def test_imports_go_four_deep(scope: MemoryScope) -> None:
    write(scope.root / "CLAUDE.md", "@1.md")
    for i in range(1, 8):
        write(scope.root / f"{i}.md", f"@{i + 1}.md")
    assert len(Memory.load(scope).files) == 5


def test_imports_from_outside_wait_for_approval(scope: MemoryScope, tmp_path: Path) -> None:
    outside = write(tmp_path / "secret.md", "secret")
    write(scope.root / "CLAUDE.md", f"project @{outside} @~/mine.md")
    write(scope.places.home / "mine.md", "home")
    (scope.root / "CLAUDE.local.md").symlink_to(outside)
    memory = Memory.load(scope)
    assert texts(memory) == [f"project @{outside} @~/mine.md"]
    assert [n.code for n in memory.notices] == ["memory.external_import"] * 2
    assert len(Memory.load(replace(scope, accepted=frozenset((o.kind, o.path) for o in memory.offers))).files) == 3
    write(scope.places.config / "CLAUDE.md", "@~/mine.md")
    assert "home" in texts(Memory.load(scope))


def test_rules_with_paths_wait_for_a_file(scope: MemoryScope) -> None:
    write(scope.root / ".claude/rules/api.md", "---\npaths: src/**/*.{ts,tsx}\n---\nUse zod.")
    write(scope.root / ".claude/rules/md.md", '---\nname: x\npaths:\n  - "*.md"\n  - docs/**\n---\nWrite well.')
    write(scope.places.config / "rules/py.md", "---\npaths: ['**/*.py']\n---\nType it.")
    memory = Memory.load(scope)
    assert memory.files == []
    assert memory.touch(scope.root / "src/a.js") == []
    assert memory.touch(scope.root / "docs.md/readme.txt") == []
    (found,) = memory.touch(scope.root / "src/deep/a.tsx")
    assert (found.text, found.reason, found.globs) == ("Use zod.", "path_glob_match", ("src/**/*.{ts,tsx}",))
    assert found.payload()["trigger_file_path"] == str(scope.root / "src/deep/a.tsx")
    assert memory.touch(scope.root / "src/b.ts") == []
    assert [f.text for f in memory.touch(scope.root / "docs/a/b.txt")] == ["Write well."]
    assert [f.text for f in memory.touch(scope.root / "x/y.py")] == ["Type it."]
    assert len(memory.files) == 3


def test_memory_below_loads_when_touched(scope: MemoryScope) -> None:
    write(scope.root / "a/CLAUDE.md", "a")
    write(scope.root / "a/b/.claude/rules/r.md", "a b rule")
    write(scope.root / "a/b/CLAUDE.local.md", "a b local")
    memory = Memory.load(scope)
    assert memory.files == []
    new = memory.touch(scope.root / "a/b/c.py")
    assert [(f.text, f.reason) for f in new] == [
        ("a", "nested_traversal"),
        ("a b rule", "nested_traversal"),
        ("a b local", "nested_traversal"),
    ]
    assert memory.touch(scope.root / "a/b/d.py") == []
    assert memory.touch(scope.places.home / "elsewhere.py") == []


def test_excludes_and_policy(scope: MemoryScope) -> None:
    write(scope.root / "CLAUDE.md", "project")
    write(scope.root / "CLAUDE.local.md", "local")
    write(scope.places.managed / "CLAUDE.md", "managed")
    memory = Memory.load(replace(scope, excludes=("**/project/CLAUDE.md", str(scope.places.managed / "**"))))
    assert texts(memory) == ["managed", "local"]

    def may_read(path: Path) -> bool:
        return path.name != "CLAUDE.local.md"

    denied = Memory.load(replace(scope, may_read=may_read))
    assert texts(denied) == ["managed", "project"]
    assert [n.code for n in denied.notices] == ["memory.denied"]


def test_files_that_cannot_be_memory(scope: MemoryScope) -> None:
    root = scope.root
    (root / "big.md").write_bytes(b"x" * (LARGEST + 1))
    (root / "binary.md").write_bytes(b"\0\1\2")
    os.mkfifo(root / "pipe.md")
    write(root / "bom.md", "\ufeffwith a mark")
    write(root / "CLAUDE.md", "@big.md @binary.md @bom.md")
    (root / "CLAUDE.local.md").symlink_to(root / "pipe.md")
    (root / ".claude").mkdir()
    (root / ".claude/CLAUDE.md").mkdir()
    memory = Memory.load(scope)
    assert texts(memory) == ["@big.md @binary.md @bom.md", "with a mark"]
    reasons = " ".join(n.text for n in memory.notices)
    assert "larger than 4 MiB" in reasons
    assert "binary" in reasons
    assert "not a regular file" in reasons
    assert len(memory.notices) == 4


def test_agents_md_is_offered(scope: MemoryScope) -> None:
    write(scope.root / "AGENTS.md", "agents")
    memory = Memory.load(scope)
    assert memory.files == []
    assert [(n.code, n.level) for n in memory.notices] == [("memory.agents_md", "info")]
    accepted = replace(scope, accepted=frozenset((o.kind, o.path) for o in memory.offers))
    assert texts(Memory.load(accepted)) == ["agents"]
    write(scope.root / "CLAUDE.md", "@AGENTS.md")
    assert Memory.load(scope).notices == []
    assert texts(Memory.load(accepted)) == ["@AGENTS.md", "agents"]


def test_auto_memory_is_short(scope: MemoryScope) -> None:
    dashed = "".join(c if c.isalnum() else "-" for c in str(scope.root))
    path = scope.places.config / "projects" / dashed / "memory" / "MEMORY.md"
    write(path, "\n".join(f"line {i}" for i in range(500)))
    remembered = remembered_in(Settings(), scope.places, scope.root)
    (file,) = Memory.load(replace(scope, remembered=remembered)).files
    assert file.text.endswith("line 199")


def test_comments_go_but_not_from_code() -> None:
    text = "a\n<!-- gone -->\nb <!-- inline stays -->\n<!-- many\nlines\n--> c\n```html\n<!-- kept -->\n```\n<!-- open"
    assert strip_comments(text) == "a\nb <!-- inline stays -->\n c\n```html\n<!-- kept -->\n```"


def test_import_spellings() -> None:
    text = "@a.md (@b/c.md) @~/d.md x@y.z `@e` ``@f ` @g`` @h\\ i.md\n- @j\n~~~\n@k\n~~~\n@@l"
    assert imports_of(text) == ["a.md", "b/c.md)", "~/d.md", "h i.md", "j"]


@pytest.mark.parametrize(
    ("text", "globs"),
    [
        ("no frontmatter", ()),
        ("---\npaths: a\n---\nx", ("a",)),
        ("---\r\npaths: 'a', \"b\"\r\n---\r\nx", ("a", "b")),
        ("---\npaths: [a, '{b,c}/*']\nother: [d]\n---\nx", ("a", "{b,c}/*")),
        ("---\npaths:\n- a\n- b\nother:\n- c\n---\nx", ("a", "b")),
        ("---\ndescription: bad: yaml: here\npaths: a\n---", ("a",)),
        ("---\npaths:\n---\n", ()),
    ],
)
def test_frontmatter(text: str, globs: tuple[str, ...]) -> None:
    assert split_rule(text)[0] == globs
