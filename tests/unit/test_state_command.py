"""State directories that lost a part: refused before anything is touched, and how each goes on."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from doubles.texts import Texts, change, commit
from twinplane import remains, state_command
from twinplane.errors import StartError
from twinplane.plan.resource import Key, Noun
from twinplane.remains import Device
from twinplane.state_dir import StateDir
from twinplane.transaction import copy
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.journal import Status, intent
from twinplane.transaction.leftover import Leftover
from twinplane.transaction.table import End
from twinplane_wire.path import parse

GUEST = "/appliances/appliance[name=fw1]"
SWITCH = "/virtual-switches/virtual-switch[name=a]"
DEFINITION = """<domain type='qemu'><name>vmabc</name><metadata>
<twinplane:appliance xmlns:twinplane="https://twinplane.org/xmlns/domain/1"
 instance="{}" path="{}" digest="d"/>
</metadata></domain>"""


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    """The marked devices of the host."""
    found: list[Device] = []

    async def devices() -> tuple[Device, ...]:
        return tuple(found)

    monkeypatch.setattr(remains, "devices", devices)
    return found


@pytest.fixture
def root(marked: list[Device]) -> Iterator[Path]:
    """A state directory that was in use: two objects, one of them a guest, and a copy of its database."""
    folder = Path(tempfile.mkdtemp(prefix="tp"))
    state = StateDir(folder)

    async def fill() -> None:
        store = Datastore(state.database, Texts(), instance=state.instance)
        await store.open()
        await store.commit(commit(1), [change(SWITCH, None, {"name": "a"})], None, "")
        copy.write(state.database, folder / "copies")
        await store.commit(commit(2), [change(GUEST, None, {"name": "fw1"})], None, "")
        await store.close()

    asyncio.run(fill())
    (folder / "users.toml").write_text("[[user]]\n")
    (folder / "libvirt/etc/qemu").mkdir(parents=True)
    (folder / "libvirt/etc/qemu/vmabc.xml").write_text(DEFINITION.format(state.instance, GUEST))
    state.settle()
    state.close()
    marked.append(Device("brabc", state.instance, SWITCH))
    yield folder
    shutil.rmtree(folder)


def lose(root: Path, *names: str) -> None:
    for name in names:
        for file in root.glob(f"{name}*"):
            file.unlink()


def whole(root: Path) -> None:
    """It starts, and its database holds what it says."""
    with StateDir(root) as state:

        async def read() -> Datastore:
            store = Datastore(state.database, Texts(), instance=state.instance, expected=state.used)
            await store.open()
            await store.close()
            return store

        asyncio.run(read())


def instance(root: Path) -> UUID:
    return UUID((root / "instance-id").read_text().strip())


def everything(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and file.name != "lock"
    }


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["twinplane.db"], "lacks twinplane.db"),
        (["instance-id"], "lacks instance-id"),
        (["VERSION", "instance-id"], "lacks instance-id"),
        (["VERSION", "twinplane.db", "instance-id"], "lacks twinplane.db .* and instance-id"),
        (["users.toml"], r"lacks users.toml .*user add NAME --role admin"),
    ],
    ids=["database", "instance", "two", "three", "users"],
)
def test_what_is_missing_beside_the_rest_is_refused(root: Path, names: list[str], words: str) -> None:
    lose(root, *names)
    before = everything(root)
    with pytest.raises(StartError, match=words):
        StateDir(root)
    assert everything(root) == before


@pytest.mark.parametrize("left", ["images/x", "appliances/x", "libvirt/etc/qemu/vmabc.xml", "copies/x.db"])
def test_each_thing_left_is_proof_enough(root: Path, left: str) -> None:
    kept = root.with_name(f"{root.name}k")
    try:
        (kept / left).parent.mkdir(parents=True)
        if left.endswith(".xml"):
            shutil.copy(root / left, kept / left)
        else:
            (kept / left).touch()
        with pytest.raises(StartError, match="though an agent worked here: 1 "):
            StateDir(kept)
    finally:
        shutil.rmtree(kept)


def test_an_empty_database_is_a_lost_one(root: Path) -> None:
    lose(root, "twinplane.db")
    (root / "twinplane.db").touch()
    with pytest.raises(StartError, match=r"lacks twinplane.db"):
        StateDir(root)


def test_a_version_that_is_missing_is_written_again(root: Path) -> None:
    """A first start that was killed, or a file that was lost: the database says whose it is and what it
    is."""
    lose(root, "VERSION")
    with StateDir(root) as state:
        assert state.used
        state.settle()
    whole(root)


def test_a_new_directory_with_marks_of_its_own_instance_on_the_host_is_refused(
    tmp_path: Path, marked: list[Device], caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = UUID(int=1), UUID(int=2)
    marked.append(Device("brabc", theirs, SWITCH))
    asyncio.run(remains.require_unmarked(tmp_path, ours))
    assert f"marked by other instances ({theirs})" in caplog.text
    marked.append(Device("brdef", ours, SWITCH))
    with pytest.raises(StartError, match="devices of its instance are on the host: brdef"):
        asyncio.run(remains.require_unmarked(tmp_path, ours))


def test_a_lost_database_is_restored_from_its_newest_copy(root: Path) -> None:
    lose(root, "twinplane.db", "VERSION")
    lines = asyncio.run(state_command.restore(root, None))
    assert any(f"guest vmabc, {GUEST}, is not in the copy and is left alone" in line for line in lines)
    assert lines[-1].endswith("commit 1; start the agent to put it in force")
    content = copy.content(root / "twinplane.db")
    assert content.revision == 1 and list(content.objects) == [SWITCH]
    whole(root)


def test_what_a_copy_lacks_is_said_and_what_was_there_is_kept(root: Path) -> None:
    (made,) = copy.listed(root / "copies")
    lines = asyncio.run(state_command.restore(root, made.file.name))
    assert f"not in the copy: {GUEST}" in lines
    (kept,) = (root / "copies").glob("replaced-*.db")
    assert any(str(kept) in line for line in lines) and copy.content(kept).revision == 2


def test_a_copy_of_another_instance_is_not_restored(root: Path) -> None:
    (root / "instance-id").write_text(f"{UUID(int=5)}\n")
    with pytest.raises(StartError, match="put back the one that belongs here"):
        asyncio.run(state_command.restore(root, None))


def test_the_instance_is_found_again(root: Path, marked: list[Device]) -> None:
    """In the database; in definitions of guests; in marks of devices; else it has to be named."""
    made = instance(root)
    lose(root, "instance-id")
    asyncio.run(state_command.adopt(root, None))
    assert instance(root) == made
    lose(root, "instance-id", "twinplane.db")
    asyncio.run(state_command.adopt(root, None))
    assert instance(root) == made
    lose(root, "instance-id", "twinplane.db", "libvirt/etc/qemu/vmabc")
    asyncio.run(state_command.adopt(root, None))
    assert instance(root) == made
    lose(root, "instance-id", "twinplane.db")
    marked.append(Device("brdef", UUID(int=3), SWITCH))
    with pytest.raises(StartError, match=r"marks speak of .*; name it"):
        asyncio.run(state_command.adopt(root, None))
    asyncio.run(state_command.adopt(root, made))
    assert instance(root) == made
    whole(root)


def test_adopting_goes_on_with_nothing_and_leaves_all_alone(root: Path) -> None:
    lose(root, "twinplane.db")
    lines = asyncio.run(state_command.adopt(root, None))
    assert lines[:2] == [
        f"guest vmabc, {GUEST}, is not configured and is left alone",
        f"device brabc, {SWITCH}, is not configured and is left alone",
    ]
    assert "left alone: all that the database does not know" in "".join(asyncio.run(state_command.show(root)))
    whole(root)


def test_forgetting_says_first_what_it_would_remove(root: Path) -> None:
    lose(root, "twinplane.db")
    before = everything(root)
    lines, done = asyncio.run(state_command.forget(root, (), sure=False))
    assert not done and everything(root) == before
    assert lines[:2] == [f"will be removed: guest vmabc, {GUEST}", f"will be removed: device brabc, {SWITCH}"]
    assert "--yes" in lines[-1]
    _, done = asyncio.run(state_command.forget(root, (), sure=True))
    assert done and copy.content(root / "twinplane.db").spared == "[]"
    whole(root)


def test_nothing_is_forgotten_of_a_database_that_is_there(root: Path) -> None:
    with pytest.raises(StartError, match="deleted through the agent"):
        asyncio.run(state_command.forget(root, (), sure=True))


def test_what_was_left_alone_is_let_go_by_name(root: Path) -> None:
    from twinplane.transaction import offline
    from twinplane_wire.path import parse

    offline.spare(root / "twinplane.db", [parse("/images/image[name=x]"), parse("/images/image[name=y]")])
    with pytest.raises(StartError, match=r"name=z\] is not left alone"):
        asyncio.run(state_command.forget(root, ["/images/image[name=z]"], sure=True))
    lines, _ = asyncio.run(state_command.forget(root, ["/images/image[name=x]"], sure=True))
    assert lines[0] == "will be removed: /images/image[name=x]"
    assert copy.content(root / "twinplane.db").spared == '["/images/image[name=y]"]'


def test_a_directory_in_use_is_left_to_the_agent(root: Path) -> None:
    with StateDir(root):
        for command in (
            state_command.restore(root, None),
            state_command.adopt(root, None),
            state_command.forget(root, (), sure=True),
        ):
            with pytest.raises(StartError, match="in use by another agent"):
                asyncio.run(command)
        assert any("in use by process" in line for line in asyncio.run(state_command.show(root)))
        assert Path(state_command.write_copy(root)[0]).exists(), "a copy can be written meanwhile"


def test_what_a_restored_copy_does_not_know_is_let_go_before_the_next_start(root: Path) -> None:
    """Also where the copy was put in place by hand: the start that follows does not leave it alone again."""
    for put in (lambda: asyncio.run(state_command.restore(root, None)), lambda: by_hand(root)):
        put()
        lines, done = asyncio.run(state_command.forget(root, (), sure=True))
        assert done and f"will be removed: guest vmabc, {GUEST}" in lines
        whole(root)
        assert copy.content(root / "twinplane.db").spared == "[]"


def by_hand(root: Path) -> None:
    lose(root, "twinplane.db")
    shutil.copyfile(copy.listed(root / "copies")[0].file, root / "twinplane.db")


@pytest.mark.parametrize("command", ["restore", "adopt"])
def test_what_was_under_way_in_a_file_that_was_put_back_is_not_finished(root: Path, command: str) -> None:
    """A database that was put aside keeps its rows; what they name may run for another reason by now."""

    async def leave() -> None:
        store = Datastore(root / "twinplane.db", Texts(), instance=instance(root))
        await store.open()
        left = Leftover(Key(Noun.DOMAIN, "vmabc"), parse(GUEST), Status.COMMITTED, "no answer")
        await store.begin(intent(number=3, base=2, changes=(), steps=(), foreign=()))
        await store.conclude(End(left=(left,), row=False))
        await store.close()

    asyncio.run(leave())
    if command == "restore":
        aside = copy.put_aside(root / "twinplane.db", root / "copies")
        asyncio.run(state_command.restore(root, str(aside)))
    else:
        asyncio.run(state_command.adopt(root, None))
    with copy.opened(root / "twinplane.db") as db:
        assert [
            db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("journal", "leftover")
        ] == [0, 0]
