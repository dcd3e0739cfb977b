"""What a prompt refers to goes along; everything else stays as typed."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.context.references import Expansion, ReferenceScope, expand_references
from rein_tui.harness.protocol.messages import ImageBlock, TextBlock
from rein_tui.harness.tools.documents import IMAGE_BYTES

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20 + b"IEND"


@pytest.fixture
def scope(tmp_path: Path) -> ReferenceScope:
    cwd = tmp_path / "cwd"
    (cwd / "src").mkdir(parents=True)
    (cwd / "a.py").write_text("".join(f"line {i}\n" for i in range(1, 31)))
    (cwd / "src" / "b.py").write_text("b\r\nc")
    (cwd / "my file.txt").write_text("mine")
    (cwd / "pic.png").write_bytes(PNG)
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "h.txt").write_text("home")
    return ReferenceScope(cwd=cwd, home=tmp_path / "home")


def added(expansion: Expansion) -> list[str]:
    return [block.text for block in expansion.blocks[1:] if isinstance(block, TextBlock)]


def test_the_words_stay_as_typed(scope: ReferenceScope) -> None:
    text = "look at @src/b.py, and @a.py:2-3."
    expansion = expand_references(text, scope)
    assert expansion.blocks[0] == TextBlock(text=text)
    cwd = scope.cwd
    assert added(expansion) == [
        f"Contents of {cwd}/src/b.py:\n     1\tb\n     2\tc",
        f"Contents of {cwd}/a.py lines 2-3 of 30:\n     2\tline 2\n     3\tline 3",
    ]
    assert [(f.path, f.first_line, f.last_line, f.total_lines) for f in expansion.files] == [
        (f"{cwd}/src/b.py", 1, 2, 2),
        (f"{cwd}/a.py", 2, 3, 30),
    ]
    assert expansion.notices == ()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("@a.py:5", 5, 5),
        ("@a.py#L5-L7", 5, 7),
        ("@a.py#L5", 5, 5),
        ("@a.py:29-99", 29, 30),
        ("(@a.py)", 1, 30),
        ("see @./src/../a.py!", 1, 30),
        ('@"a.py"', 1, 30),
        ("@a.py:0-2", 1, 2),
    ],
)
def test_spellings(scope: ReferenceScope, text: str, first: int, last: int) -> None:
    (file,) = expand_references(text, scope).files
    assert (file.path, file.first_line, file.last_line) == (str(scope.cwd / "a.py"), first, last)


def test_blanks_in_names_and_the_home_folder(scope: ReferenceScope) -> None:
    text = "@\"my file.txt\" @'my file.txt' @my\\ file.txt @~/h.txt"
    expansion = expand_references(text, scope)
    assert [Path(f.path).name for f in expansion.files] == ["my file.txt", "h.txt"]


def test_a_name_with_a_colon_is_taken_literally_first(scope: ReferenceScope) -> None:
    (scope.cwd / "a.py:2").write_text("odd")
    assert "odd" in added(expand_references("@a.py:2", scope))[0]


def test_folders_and_images(scope: ReferenceScope) -> None:
    expansion = expand_references("@src/ @pic.png @.", scope)
    assert added(expansion) == [
        f"Files in {scope.cwd}/src:\nb.py",
        f"Files in {scope.cwd}:\na.py\nmy file.txt\npic.png\nsrc/",
    ]
    image = expansion.blocks[2]
    assert isinstance(image, ImageBlock)
    assert (image.media_type, base64.b64decode(image.data)) == ("image/png", PNG)


@pytest.mark.parametrize(
    "text", ["me@example.org", "@types/node", "@alice", "@server:thing://x", "@", "@@a.py", "a@a.py"]
)
def test_words_that_are_no_files(scope: ReferenceScope, text: str) -> None:
    expansion = expand_references(text, scope)
    assert expansion == Expansion(blocks=(TextBlock(text=text),))


@pytest.mark.parametrize(
    "text", ["@src/gone.py", "@./x", "@/nowhere/a.txt", "@~/gone", "@src/gone.py:3-4", "@gone.py", "@gone.md#L3,"]
)
def test_files_that_are_not_there_are_told(scope: ReferenceScope, text: str) -> None:
    (notice,) = expand_references(text, scope).notices
    assert notice.code == "reference.missing"


def test_what_is_left_out_says_why(scope: ReferenceScope) -> None:
    cwd = scope.cwd
    (cwd / "bin").write_bytes(b"\0\1")
    (cwd / "huge").write_bytes(b"x")
    os.truncate(cwd / "huge", 11 * 1024 * 1024)
    os.mkfifo(cwd / "pipe")
    (cwd / "big.png").write_bytes(PNG + b"\0" * IMAGE_BYTES)
    (cwd / "loop").symlink_to(cwd / "loop")
    expansion = expand_references("@bin @huge @pipe @big.png @a.py:99 @loop", scope)
    assert len(expansion.blocks) == 1
    reasons = [notice.text for notice in expansion.notices]
    for word, reason in zip(("binary", "larger", "regular", "3,750,000", "30 lines"), reasons, strict=True):
        assert word in reason


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("x.png", PNG),
        ("x.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 30 + b"\xff\xd9"),
        ("x.gif", b"GIF89a" + b"\0" * 30 + b";"),
        ("x.webp", b"RIFF" + (24).to_bytes(4, "little") + b"WEBP" + b"\0" * 20),
    ],
)
def test_an_image_that_is_cut_off_is_left_out(scope: ReferenceScope, name: str, whole: bytes) -> None:
    (scope.cwd / name).write_bytes(whole)
    assert isinstance(expand_references(f"@{name}", scope).blocks[1], ImageBlock)
    (scope.cwd / name).write_bytes(whole[:-5])
    cut = expand_references(f"@{name}", scope)
    assert len(cut.blocks) == 1
    assert "the end of the image is missing" in cut.notices[0].text


def test_apostrophes_and_ranges_the_other_way_round(scope: ReferenceScope) -> None:
    (scope.cwd / "it's.txt").write_text("mine")
    assert "mine" in added(expand_references("see @it's.txt.", scope))[0]
    assert "line 30" in added(expand_references("what is @a.py's end?", scope))[0]
    assert "'@a.py'" in str(expand_references("'@a.py'", scope).blocks[0])
    assert added(expand_references("@a.py#L9-7", scope)) == added(expand_references("@a.py:7-9", scope))


def test_the_read_policy_holds_for_links_too(scope: ReferenceScope) -> None:
    (scope.cwd / "link").symlink_to(scope.home / "h.txt")

    def may_read(path: Path) -> bool:
        return path.name != "h.txt"

    closed = ReferenceScope(cwd=scope.cwd, home=scope.home, may_read=may_read)
    expansion = expand_references("@~/h.txt @link", closed)
    assert len(expansion.blocks) == 1
    assert all("deny rule" in notice.text for notice in expansion.notices)
    assert len(expansion.notices) == 2


def test_long_files_are_cut_and_say_so(scope: ReferenceScope) -> None:
    (scope.cwd / "long").write_text("y" * 5000 + "\n" + "x\n" * 5000)
    (text,) = added(expand_references("@long", scope))
    assert "PARTIAL view: lines 1-2000 of 5,001" in text
    assert "y" * 2000 + "…\n" in text
    (scope.cwd / "wide").write_text(("z" * 1999 + "\n") * 500)
    (text,) = added(expand_references("@wide", scope))
    assert len(text) < 101_000


@given(st.text(alphabet="@a.py:0-9#L \"'\\\n()~/", max_size=40))
def test_no_prompt_breaks_it(text: str) -> None:
    folder = Path(__file__).parent
    expansion = expand_references(text, ReferenceScope(cwd=folder, home=folder))
    assert not text.strip() or expansion.blocks[0] == TextBlock(text=text)
