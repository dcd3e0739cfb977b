"""Read, Write and Edit on real files, nasty ones among them."""

import asyncio
import base64
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.displays import DiffDisplay, FileDisplay
from rein_tui.harness.protocol.events import FileChanged, Notice
from rein_tui.harness.protocol.messages import ImageBlock
from rein_tui.harness.tools.files import FileRefusedError, digest, load, real_path, replace
from rein_tui.harness.tools.ledger import Ledger
from rein_tui.harness.tools.pieces import read_piece, split_lines
from rein_tui.harness.tools.text import find_encoding, is_binary, line_end

from .conftest import Bench, text_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


# --- Read ---------------------------------------------------------------------------------------------------


async def test_read_numbers_lines(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("one\n\nthree")
    result = await bench.call("Read", file_path="a.txt")
    assert result.content == "     1\tone\n     2\t\n     3\tthree"
    assert result.response == {
        "type": "text",
        "file": {
            "filePath": str(bench.root / "a.txt"),
            "content": "one\n\nthree",
            "numLines": 3,
            "startLine": 1,
            "totalLines": 3,
        },
    }
    assert isinstance(result.display, FileDisplay)
    assert result.display.total_lines == 3


async def test_read_a_part(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("".join(f"l{i}\n" for i in range(1, 11)))
    result = await bench.call("Read", file_path="a.txt", offset=4, limit=2)
    assert result.content == "     4\tl4\n     5\tl5"
    beyond = await bench.call("Read", file_path="a.txt", offset=11)
    assert beyond.is_error
    assert "only 10 lines" in text_of(beyond)


async def test_a_long_file_is_shown_in_part_and_says_so(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("x\n" * 5000 + "y" * 9000)
    text = text_of(await bench.call("Read", file_path="a.txt"))
    assert "PARTIAL view: lines 1-2000 of 5,001" in text
    last = text_of(await bench.call("Read", file_path="a.txt", offset=5001))
    assert "7,000 more characters" in last


async def test_read_an_empty_file(bench: Bench) -> None:
    (bench.root / "a.txt").touch()
    assert text_of(await bench.call("Read", file_path="a.txt")) == "(The file is empty.)"


async def test_only_newlines_end_lines(bench: Bench) -> None:
    (bench.root / "a.txt").write_bytes("a\x0cb\u2028c\r\nd\n".encode())
    assert text_of(await bench.call("Read", file_path="a.txt")) == "     1\ta\x0cb\u2028c\n     2\td"


async def test_read_a_binary_file_of_a_gigabyte(bench: Bench) -> None:
    with (bench.root / "big").open("wb") as file:
        file.truncate(1 << 30)
    result = await bench.call("Read", file_path="big")
    assert result.is_error
    assert "binary file (1,073,741,824 bytes)" in text_of(result)


async def test_read_a_large_text_file_in_pieces(bench: Bench) -> None:
    with (bench.root / "big").open("w") as file:
        for part in range(20):
            file.write("".join(f"line {part * 50_000 + i}\n" for i in range(1, 50_001)))
    first = text_of(await bench.call("Read", file_path="big"))
    assert first.startswith("     1\tline 1\n")
    assert "PARTIAL view: lines 1-2000 of a file of" in first
    late = text_of(await bench.call("Read", file_path="big", offset=777_777, limit=2))
    assert late.startswith("777777\tline 777777\n777778\tline 777778\n")
    end = text_of(await bench.call("Read", file_path="big", offset=999_999))
    assert end == "999999\tline 999999\n1000000\tline 1000000"
    assert "only 1,000,000 lines" in text_of(await bench.call("Read", file_path="big", offset=1_000_001))


async def test_a_file_of_one_endless_line_is_answered(bench: Bench) -> None:
    with (bench.root / "big").open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    text = text_of(await bench.call("Read", file_path="big"))
    assert len(text) < 3000
    assert "more characters" in text
    assert "PARTIAL view" in text


async def test_a_limit_that_does_not_fit_is_said(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("x\n" * 5000 + "y" * 60 + "\n")
    whole = text_of(await bench.call("Read", file_path="a.txt", limit=9000))
    assert "  5001\ty" in whole
    assert "PARTIAL" not in whole
    (bench.root / "b.txt").write_text(("y" * 90 + "\n") * 5000)
    assert "PARTIAL view: lines 1-1020 of 5,000" in text_of(await bench.call("Read", file_path="b.txt", limit=3000))


async def test_read_says_what_is_no_file(bench: Bench) -> None:
    assert "is a folder" in text_of(await bench.call("Read", file_path="."))
    assert "no such file" in text_of(await bench.call("Read", file_path="gone.txt"))
    (bench.root / "config.json").touch()
    assert f"Did you mean {bench.root}/config.json?" in text_of(await bench.call("Read", file_path="confg.json"))


@posix
async def test_pipes_devices_and_processes_are_never_opened_for_reading(bench: Bench) -> None:
    os.mkfifo(bench.root / "pipe")
    assert "is a named pipe" in text_of(await bench.call("Read", file_path="pipe"))
    assert "is a device" in text_of(await bench.call("Read", file_path="/dev/zero"))
    for path in ("/proc/self/environ", f"/proc/{os.getpid()}/mem", "/proc/thread-self/environ"):
        assert "belongs to a process" in text_of(await bench.call("Read", file_path=path))
    assert "control characters" in text_of(await bench.call("Read", file_path="a\x1b[31m"))


async def test_read_an_image(bench: Bench) -> None:
    data = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    (bench.root / "dot.dat").write_bytes(data)
    result = await bench.call("Read", file_path="dot.dat")
    assert isinstance(result.content, tuple)
    block = result.content[0]
    assert isinstance(block, ImageBlock)
    assert block.media_type == "image/png"
    assert base64.b64decode(block.data) == data


async def test_an_image_that_is_too_large_is_refused(bench: Bench) -> None:
    (bench.root / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(4_000_000))
    assert (await bench.call("Read", file_path="a.png")).is_error


async def test_read_a_notebook(bench: Bench) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"], "id": "m"},
        {"cell_type": "code", "source": "1+1", "outputs": [{"data": {"text/plain": ["2"]}}]},
    ]
    (bench.root / "n.ipynb").write_text(json.dumps({"cells": cells}))
    text = text_of(await bench.call("Read", file_path="n.ipynb"))
    assert '<cell id="m" type="markdown">' in text
    assert "# Title" in text
    assert "<output>" in text
    (bench.root / "broken.ipynb").write_text("{not json")
    assert "{not json" in text_of(await bench.call("Read", file_path="broken.ipynb"))


@posix
async def test_read_a_pdf_with_the_machines_program(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.root / "a.pdf").write_bytes(b"%PDF-1.7\n\0\0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no pdftotext" in text_of(await bench.call("Read", file_path="a.pdf"))
    program = tmp_path / "pdftotext"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    text = text_of(await bench.call("Read", file_path="a.pdf", pages="2-3"))
    assert f"-f 2 -l 3 -- {bench.root}/a.pdf -" in text
    assert "-f 4 -l 4" in text_of(await bench.call("Read", file_path="a.pdf", pages="4"))
    assert 'field "pages"' in text_of(await bench.call("Read", file_path="a.pdf", pages="all"))
    program.write_text("#!/bin/sh\necho damaged >&2; exit 1\n")
    assert "pdftotext failed: damaged" in text_of(await bench.call("Read", file_path="a.pdf"))


@given(st.text("ab\n\r", max_size=60), st.integers(1, 8), st.integers(1, 8))
def test_pieces_are_what_the_whole_would_give(
    tmp_path_factory: pytest.TempPathFactory, text: str, first: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("p") / "f"
    path.write_bytes(text.encode())
    lines = [line.removesuffix("\r") for line in split_lines(text)]
    fd = os.open(path, os.O_RDONLY)
    try:
        piece = read_piece(fd, first, count, 2000)
    finally:
        os.close(fd)
    assert piece.lines == lines[first - 1 : first - 1 + count]
    assert piece.total in (0, len(lines))


# --- Write --------------------------------------------------------------------------------------------------


async def test_write_a_new_file_with_its_folders(bench: Bench) -> None:
    result = await bench.call("Write", file_path="a/b/c.txt", content="hi\n")
    path = bench.root / "a/b/c.txt"
    assert path.read_text() == "hi\n"
    assert not result.is_error
    assert result.response is not None
    assert result.response["type"] == "create"
    assert result.response["filePath"] == str(path)
    assert result.response["originalFile"] is None
    (told,) = bench.told(FileChanged)
    assert (told.path, told.before, told.after, told.added) == (str(path), "", digest(b"hi\n"), 1)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


async def test_write_needs_a_whole_and_fresh_read(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_text("1\n2\n3\n")
    assert "was not read yet" in text_of(await bench.call("Write", file_path="a.txt", content="x"))
    await bench.call("Read", file_path="a.txt", limit=1)
    assert "only in part" in text_of(await bench.call("Write", file_path="a.txt", content="x"))
    await bench.call("Read", file_path="a.txt", offset=2)
    path.write_text("1\n2\n4\n")
    assert "was changed since" in text_of(await bench.call("Write", file_path="a.txt", content="x"))
    assert path.read_text() == "1\n2\n4\n"
    await bench.call("Read", file_path="a.txt")
    result = await bench.call("Write", file_path="a.txt", content="1\nx\n4\n")
    assert not result.is_error
    assert result.response is not None
    assert result.response["type"] == "update"
    assert result.response["originalFile"] == "1\n2\n4\n"
    assert result.response["structuredPatch"] == [
        {"oldStart": 1, "oldLines": 3, "newStart": 1, "newLines": 3, "lines": [" 1", "-2", "+x", " 4"]}
    ]


async def test_what_it_wrote_it_may_write_again(bench: Bench) -> None:
    for content in ("a", "b", "c"):
        assert not (await bench.call("Write", file_path="a.txt", content=content)).is_error


async def test_touching_without_changing_is_not_stale(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_text("a")
    await bench.call("Read", file_path="a.txt")
    os.utime(path, ns=(1, 1))
    assert not (await bench.call("Write", file_path="a.txt", content="b")).is_error


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffgrün\nzwei\n".encode(),
        "grün\r\nzwei\r\n".encode(),
        "grün\nzwei\n".encode("latin-1"),
        "\u201cgrün\u201d\r\n".encode("cp1252"),
        "\ufeffgrün\r\nzwei\r\n".encode("utf-16-le"),
        "\ufeffgrün\nzwei".encode("utf-32-be"),
    ],
)
async def test_encoding_mark_and_line_ends_are_kept(data: bytes, bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_bytes(data)
    shown = text_of(await bench.call("Read", file_path="a.txt"))
    assert "grün" in shown
    assert "\ufeff" not in shown
    encoding = find_encoding(data)
    assert not (await bench.call("Edit", file_path="a.txt", old_string="grün", new_string="größer\nneu")).is_error
    end = line_end(encoding.decode(data))
    assert path.read_bytes() == data.replace("grün".encode(encoding.name), f"größer{end}neu".encode(encoding.name))
    assert not (await bench.call("Write", file_path="a.txt", content="ö\nü\n")).is_error
    assert path.read_bytes() == encoding.mark + f"ö{end}ü{end}".encode(encoding.name)


async def test_what_an_encoding_does_not_have_is_refused(bench: Bench) -> None:
    (bench.root / "a.txt").write_bytes("grün\n".encode("latin-1"))
    await bench.call("Read", file_path="a.txt")
    result = await bench.call("Edit", file_path="a.txt", old_string="grün", new_string="绿")
    assert "latin-1" in text_of(result)
    assert (bench.root / "a.txt").read_bytes() == "grün\n".encode("latin-1")


async def test_bytes_that_are_no_text_survive_an_edit(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_bytes(b"gr\xc3\xbcn \xff\xfe\nb\n")
    await bench.call("Read", file_path="a.txt")
    await bench.call("Edit", file_path="a.txt", old_string="b", new_string="c")
    assert path.read_bytes() == b"gr\xc3\xbcn \xff\xfe\nc\n"


@posix
async def test_mode_is_kept(bench: Bench) -> None:
    path = bench.root / "run.sh"
    path.write_text("echo a\n")
    path.chmod(0o750)
    await bench.call("Read", file_path="run.sh")
    await bench.call("Edit", file_path="run.sh", old_string="a", new_string="b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert list(bench.root.iterdir()) == [path]


@posix
async def test_all_names_of_a_file_change_together(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_text("a long text\n")
    other = bench.root / "b.txt"
    other.hardlink_to(path)
    await bench.call("Read", file_path="a.txt")
    tool = bench.tool("Edit")
    value = tool.parse(tool.normalize({"file_path": "a.txt", "old_string": "long ", "new_string": ""}, bench.workspace))
    preview = await tool.preview(value, bench.context())
    assert isinstance(preview, DiffDisplay)
    assert "2 names" in preview.note
    await tool.run(value, bench.context())
    assert other.read_text() == "a text\n"
    assert other.stat().st_ino == path.stat().st_ino


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
async def test_a_read_only_file_is_refused(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_text("a")
    path.chmod(0o444)
    await bench.call("Read", file_path="a.txt")
    assert "read-only" in text_of(await bench.call("Write", file_path="a.txt", content="b"))


@posix
async def test_links_are_written_through(bench: Bench) -> None:
    target = bench.root / "target.txt"
    target.write_text("a")
    (bench.root / "link.txt").symlink_to("target.txt")
    (bench.root / "dangling.txt").symlink_to("new.txt")
    await bench.call("Read", file_path="link.txt")
    await bench.call("Edit", file_path="link.txt", old_string="a", new_string="b")
    await bench.call("Write", file_path="dangling.txt", content="c")
    assert (bench.root / "link.txt").is_symlink()
    assert target.read_text() == "b"
    assert (bench.root / "new.txt").read_text() == "c"
    assert bench.told(FileChanged)[0].path == str(target)


@posix
async def test_a_link_swapped_after_the_check_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    path = bench.root / "a.txt"
    path.write_text("harmless")
    for name, more in (("Read", {}), ("Write", {"content": "x"}), ("Edit", {"old_string": "secret", "new_string": ""})):
        tool = bench.tool(name)
        value = tool.parse(tool.normalize({"file_path": "a.txt", **more}, bench.workspace))
        path.unlink()
        path.symlink_to(outside)
        result = await tool.run(value, bench.context())
        assert result.is_error
        assert "when it was approved" in text_of(result)
        path.unlink()
        path.write_text("harmless")
    assert outside.read_text() == "secret"


@posix
def test_a_folder_swapped_for_a_link_after_resolving_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "f").write_text("a")
    (outside / "f").write_text("b")
    real = real_path(str(inside / "f"))
    old = load(real)
    inside.rename(tmp_path / "gone")
    inside.symlink_to(outside)
    with pytest.raises(FileRefusedError, match="link that was put there"):
        load(real)
    with pytest.raises(FileRefusedError, match="link that was put there"):
        replace(real, b"c", old)
    assert (outside / "f").read_text() == "b"


def test_a_change_between_load_and_replace_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("a")
    old = load(real_path(str(path)))
    path.write_text("someone else's")
    with pytest.raises(FileRefusedError, match="changed meanwhile"):
        replace(old.path, b"b", old)
    assert path.read_text() == "someone else's"
    with pytest.raises(FileRefusedError, match="changed meanwhile"):
        replace(old.path, b"b", None)


def test_denied_files_are_refused_when_they_are_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch()
    ledger = Ledger(is_denied=lambda real, access: real.endswith("secret") and access == "read")
    with pytest.raises(FileRefusedError, match="deny"):
        ledger.resolve(str(secret), "read")
    assert ledger.resolve(str(secret), "write") == str(secret)


async def test_before_change_gets_what_was_there(bench: Bench) -> None:
    kept: list[tuple[str, bytes | None]] = []

    def keep(path: Path, data: bytes | None) -> str:
        kept.append((path.name, data))
        return "" if data is None else "no room"

    bench.parts.files.before_change = keep
    await bench.call("Write", file_path="a.txt", content="one")
    await bench.call("Edit", file_path="a.txt", old_string="one", new_string="two")
    assert kept == [("a.txt", None), ("a.txt", b"one")]
    assert [notice.text for notice in bench.told(Notice)] == ["no room"]


async def test_a_change_that_began_is_told_though_the_call_is_cancelled(bench: Bench) -> None:
    tool = bench.tool("Write")
    value = tool.parse(tool.normalize({"file_path": "a.txt", "content": "x"}, bench.workspace))
    running: asyncio.Task[object]

    def cancel(path: Path, data: bytes | None) -> str:
        running.cancel()
        return ""

    bench.parts.files.before_change = cancel
    running = asyncio.create_task(tool.run(value, bench.context()))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (bench.root / "a.txt").read_text() == "x"
    assert len(bench.told(FileChanged)) == 1


async def test_a_formatter_after_the_write_makes_nothing_stale(bench: Bench) -> None:
    await bench.call("Write", file_path="a.py", content="x=1\n")
    (bench.root / "a.py").write_text("x = 1\n")
    assert bench.parts.files.ledger.refresh(str(bench.root / "a.py"))
    assert not bench.parts.files.ledger.refresh(str(bench.root / "a.py"))
    assert not (await bench.call("Write", file_path="a.py", content="y = 1\n")).is_error


# --- Edit ---------------------------------------------------------------------------------------------------


async def test_edit(bench: Bench) -> None:
    path = bench.root / "a.py"
    path.write_text("def f():\n    return 1\n")
    await bench.call("Read", file_path="a.py")
    result = await bench.call("Edit", file_path="a.py", old_string="return 1", new_string="return 2")
    assert path.read_text() == "def f():\n    return 2\n"
    assert result.response == {
        "filePath": str(path),
        "oldString": "return 1",
        "newString": "return 2",
        "originalFile": "def f():\n    return 1\n",
        "structuredPatch": [
            {
                "oldStart": 1,
                "oldLines": 2,
                "newStart": 1,
                "newLines": 2,
                "lines": [" def f():", "-    return 1", "+    return 2"],
            }
        ],
        "userModified": False,
        "replaceAll": False,
    }


async def test_edit_needs_a_read(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("a")
    assert "not read yet" in text_of(await bench.call("Edit", file_path="a.txt", old_string="a", new_string="b"))
    assert "Create it with Write" in text_of(await bench.call("Edit", file_path="n", old_string="a", new_string="b"))


async def test_an_empty_old_string_makes_a_new_file(bench: Bench) -> None:
    await bench.call("Edit", file_path="new.txt", old_string="", new_string="hi\n")
    assert (bench.root / "new.txt").read_text() == "hi\n"
    result = await bench.call("Edit", file_path="new.txt", old_string="", new_string="ho\n")
    assert "not empty" in text_of(result)


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("x = 1", "occurs 2 times in"),
        ("x = 1", "lines 1, 3"),
        ("y  =  2", "Line 2 differs only in white space:\ny = 2"),
        ("y = 3", "most similar line is line 2"),
        ("y = 2\nz = 3", "Its first line is line 2, but then"),
        ("     2\ty = 2", "leave those out"),
        ("completely different", "Nothing similar"),
    ],
)
async def test_an_edit_that_does_not_fit_is_explained(old: str, said: str, bench: Bench) -> None:
    (bench.root / "a.py").write_text("x = 1\ny = 2\nx = 1\n")
    await bench.call("Read", file_path="a.py")
    result = await bench.call("Edit", file_path="a.py", old_string=old, new_string="new")
    assert result.is_error
    assert said in text_of(result)


async def test_replace_all(bench: Bench) -> None:
    (bench.root / "a.py").write_text("x\ny\nx\n")
    await bench.call("Read", file_path="a.py")
    await bench.call("Edit", file_path="a.py", old_string="x", new_string="z", replace_all=True)
    assert (bench.root / "a.py").read_text() == "z\ny\nz\n"


async def test_windows_line_ends_match_plain_ones(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_bytes(b"a\r\nb\r\nc\r\n")
    await bench.call("Read", file_path="a.txt")
    await bench.call("Edit", file_path="a.txt", old_string="a\nb\n", new_string="x\ny\nz\n")
    assert path.read_bytes() == b"x\r\ny\r\nz\r\nc\r\n"


async def test_mixed_line_ends_stay_as_they_are(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_bytes(b"a\r\nb\nc\r\nd\n")
    await bench.call("Read", file_path="a.txt")
    await bench.call("Edit", file_path="a.txt", old_string="c", new_string="x")
    assert path.read_bytes() == b"a\r\nb\nx\r\nd\n"


async def test_a_stale_edit_that_still_fits_goes_on_and_says_so(bench: Bench) -> None:
    path = bench.root / "a.txt"
    path.write_text("one\ntwo\n")
    await bench.call("Read", file_path="a.txt")
    path.write_text("zero\none\ntwo\n")
    result = await bench.call("Edit", file_path="a.txt", old_string="two", new_string="2")
    assert not result.is_error
    assert "changed by someone else" in text_of(result)
    assert path.read_text() == "zero\none\n2\n"


async def test_no_change_is_an_invalid_edit(bench: Bench) -> None:
    with pytest.raises(Exception, match="nothing would change"):
        await bench.call("Edit", file_path="a", old_string="a", new_string="a")


@given(
    before=st.text("ab\n\r é", max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_an_edit_does_not_touch_stays_byte_for_byte(
    before: str, end: str, mark: bytes, bench: Bench
) -> None:
    path = bench.root / "p.txt"
    rest = before.replace("\r", "").replace("\n", end).encode()
    path.write_bytes(mark + rest + b"X" + rest)
    await bench.call("Read", file_path="p.txt")
    result = await bench.call("Edit", file_path="p.txt", old_string="X", new_string="Y")
    assert not result.is_error, result.content
    assert path.read_bytes() == mark + rest + b"Y" + rest


@given(st.binary(max_size=200))
def test_decoding_is_lossless(data: bytes) -> None:
    encoding = find_encoding(data)
    if not is_binary(data) and not encoding.name.startswith(("utf-16", "utf-32")):
        assert encoding.encode(encoding.decode(data)) == data
