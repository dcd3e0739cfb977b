"""Rewinding files: what comes back, what is left alone, what is only listed."""

import hashlib
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.events import Fact, FileChanged, Rewound, ToolCallStarted
from rein_tui.harness.store.checkpoints import Checkpoints


def sha(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


class Project:
    """A folder whose files are changed as the file tools do it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.checkpoints = Checkpoints(folder / "data" / "objects")
        self.facts: list[Fact] = []

    def path(self, name: str) -> Path:
        return self.folder / name

    def change(self, turn: int, name: str, data: bytes) -> None:
        path = self.path(name)
        old = path.read_bytes() if path.exists() else None
        self.checkpoints.before_change(path, old)
        mode = stat.S_IMODE(path.stat().st_mode) if old is not None else 0
        path.write_bytes(data)
        change = FileChanged(call_id="c", path=str(path), before=sha(old), after=sha(data), mode=mode, turn=turn)
        self.facts.append(change)

    def run(self, turn: int, command: str) -> None:
        self.facts.append(ToolCallStarted(call_id="c", name="Bash", input={"command": command}, turn=turn))

    def rewind(self, turn: int, also: frozenset[str] = frozenset()) -> tuple[str, ...]:
        plan = self.checkpoints.plan(self.facts, turn)
        done = self.checkpoints.restore(plan, also)
        self.facts.append(Rewound(to_turn=turn, code=True, restored=done.restored, turn=0))
        return done.restored

    def state(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_back_to_any_turn(project: Project) -> None:
    project.path("old").write_bytes(b"0")
    states = [project.state()]
    for turn, (name, data) in enumerate([("old", b"1"), ("new", b"2"), ("old", b"3"), ("new", b"4")], 1):
        project.change(turn, name, data)
        states.append(project.state())
    project.run(3, "rm -rf build")
    plan = project.checkpoints.plan(project.facts, 2)
    assert [(step.verb, Path(step.path).name, step.turns) for step in plan.steps] == [
        ("restore", "old", (3,)),
        ("restore", "new", (4,)),
    ]
    assert plan.commands == ("rm -rf build",)
    assert not any(step.obstacle for step in plan.steps)
    for turn in (3, 1, 0):
        project.rewind(turn)
        assert project.state() == states[turn]
    assert project.checkpoints.plan(project.facts, 0).steps == ()


def test_what_others_changed_is_left_alone_unless_asked_for(project: Project) -> None:
    project.change(1, "a", b"1")
    project.change(2, "a", b"2")
    project.path("a").write_bytes(b"by hand")
    plan = project.checkpoints.plan(project.facts, 1)
    assert [step.obstacle for step in plan.steps] == ["changed_since"]
    assert all(step.obstacle for step in plan.steps)
    done = project.checkpoints.restore(plan)
    assert done.restored == ()
    assert done.left == ((str(project.path("a")), "somebody else changed it since"),)
    assert project.path("a").read_bytes() == b"by hand"
    assert project.rewind(1, also=frozenset({str(project.path("a"))})) == (str(project.path("a")),)
    assert project.path("a").read_bytes() == b"1"
    assert project.checkpoints.content(sha(b"by hand")) == b"by hand"


def test_a_change_between_plan_and_deed_is_respected(project: Project) -> None:
    project.change(1, "a", b"1")
    plan = project.checkpoints.plan(project.facts, 0)
    project.path("a").write_bytes(b"just now")
    assert project.checkpoints.restore(plan).left[0][1] == "it was changed just now"
    assert project.path("a").read_bytes() == b"just now"


def test_a_link_put_in_the_way_is_not_followed(project: Project, tmp_path: Path) -> None:
    (project.folder / "d").mkdir()
    project.path("d/a").write_bytes(b"0")
    project.change(1, "d/a", b"1")
    victim = tmp_path / "victim"
    (project.folder / "d").rename(victim)
    (project.folder / "d").symlink_to(victim)
    plan = project.checkpoints.plan(project.facts, 0)
    assert [step.obstacle for step in plan.steps] == ["unreadable"]
    project.checkpoints.restore(plan, also=frozenset({str(project.path("d/a"))}))
    assert (victim / "a").read_bytes() == b"1"


def test_contents_that_were_not_kept(project: Project) -> None:
    project.path("a").write_bytes(b"0")
    project.change(1, "a", b"1")
    (kept,) = (project.folder.parent / "data" / "objects").glob("??/*")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_bytes(b"damaged")
    plan = project.checkpoints.plan(project.facts, 0)
    assert project.checkpoints.restore(plan).left[0][1] == "its content was not kept"
    kept.unlink()
    plan = project.checkpoints.plan(project.facts, 0)
    assert [step.obstacle for step in plan.steps] == ["not_kept"]
    assert project.checkpoints.restore(plan, also=frozenset({str(project.path("a"))})).restored == ()
    assert project.path("a").read_bytes() == b"1"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("in the way")
    checkpoints = Checkpoints(tmp_path / "objects")
    assert "/p/a" in checkpoints.before_change(Path("/p/a"), b"x")
    assert not checkpoints.before_change(Path("/p/a"), None)


def test_modes_and_deleted_files_come_back(project: Project) -> None:
    project.path("run.sh").write_bytes(b"#!/bin/sh\n")
    project.path("run.sh").chmod(0o755)
    project.change(1, "run.sh", b"#!/bin/sh\necho\n")
    project.rewind(0)
    assert stat.S_IMODE(project.path("run.sh").stat().st_mode) == 0o755
    project.change(2, "run.sh", b"2")
    project.path("run.sh").unlink()
    plan = project.checkpoints.plan(project.facts, 0)
    assert [step.obstacle for step in plan.steps] == ["changed_since"]
    project.rewind(0, also=frozenset({str(project.path("run.sh"))}))
    assert project.path("run.sh").read_bytes() == b"#!/bin/sh\n"
    assert stat.S_IMODE(project.path("run.sh").stat().st_mode) == 0o755


def test_what_no_session_needs_is_collected(project: Project) -> None:
    project.path("a").write_bytes(b"0")
    project.change(1, "a", b"1")
    project.change(2, "a", b"2")
    assert project.checkpoints.collect({sha(b"1")}) > 0
    assert project.checkpoints.content(sha(b"0")) is None
    assert project.checkpoints.content(sha(b"1")) == b"1"


_changes = st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=3)), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=_changes, data=st.data())
def test_any_way_back_is_exact(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    project = Project(tmp_path_factory.mktemp("p"))
    project.path("a").write_bytes(b"start")
    states = [project.state()]
    for turn, (name, content) in enumerate(changes, 1):
        project.change(turn, name, content)
        states.append(project.state())
    first = data.draw(st.integers(0, len(changes)))
    second = data.draw(st.integers(0, first))
    project.rewind(first)
    assert project.state() == states[first]
    project.rewind(second)
    assert project.state() == states[second]
