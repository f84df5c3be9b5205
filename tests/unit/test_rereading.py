"""What is wrong with users.toml at a SIGHUP changes nobody, and is an alarm until it is right."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from twinplane.identity.directory import Directory
from twinplane.identity.role import Role
from twinplane.identity.user import remove_user, set_user
from twinplane.rereading import Rereading
from twinplane.state.facts import AlarmFact
from twinplane.state.raised import Raised

MORE = '\n[[user]]\nname = "eve"\nrole = "admin"\n'


class Box:
    def __init__(self, file: Path) -> None:
        self.file = file
        set_user(file, "admin", Role.ADMIN)
        self.users = Directory(file)
        self.alarms: dict[str, AlarmFact] = {}
        self.checked = 0
        self._reread = Rereading(self.users, self._check, Raised(self._saw))

    def _check(self, _: object) -> None:
        self.checked += 1

    def _saw(self, facts: object) -> None:
        for fact in facts:  # type: ignore[attr-defined]
            if fact.cleared:
                del self.alarms[fact.id]
            else:
                self.alarms[fact.id] = fact

    def reread(self) -> None:
        asyncio.run(self._reread())


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "users.toml")


def append(file: Path) -> None:
    file.write_text(file.read_text() + MORE)


def written_by_others(file: Path) -> None:
    append(file)
    file.chmod(0o666)


def nested(file: Path) -> None:
    file.write_text("x = " + "[" * 50_000)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda file: file.write_text(""), "is empty; restore it"),
        (lambda file: file.unlink(), "No such file"),
        (lambda file: file.write_text(file.read_text() + MORE + MORE), "'eve' is there twice; remove one"),
        (lambda file: file.write_text(MORE.replace("admin", "king")), "role is one of"),
        (nested, "users.toml is n"),
        (written_by_others, "can be written by others; see whether.*chmod 600"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nobody(
    box: Box, damage: Callable[[Path], None], said: str
) -> None:
    good = box.file.read_bytes()
    damage(box.file)
    box.reread()
    assert set(box.users.users) == {"admin"}
    (alarm,) = box.alarms.values()
    assert (alarm.kind, alarm.severity) == ("USERS", "MAJOR")
    assert re.search(said, alarm.text), alarm.text
    assert "SIGHUP" in alarm.text
    assert box.checked == 0
    box.file.write_bytes(good)
    box.file.chmod(0o600)
    box.reread()
    assert box.alarms == {}
    assert box.checked == 1


def test_what_others_could_only_read_is_closed_and_counts(box: Box) -> None:
    append(box.file)
    box.file.chmod(0o644)
    box.reread()
    assert box.file.stat().st_mode & 0o077 == 0
    assert set(box.users.users) == {"admin", "eve"}
    assert box.alarms == {}


def test_nobody_who_administers_is_an_alarm(box: Box) -> None:
    set_user(box.file, "ann", Role.OPERATOR)
    remove_user(box.file, "admin")
    box.reread()
    assert set(box.users.users) == {"ann"}
    (alarm,) = box.alarms.values()
    assert "user add NAME --role admin" in alarm.text
    assert alarm.severity == "WARNING"
    remove_user(box.file, "ann")
    box.reread()
    assert not box.users.users, "that is what was asked for"
    set_user(box.file, "ann", Role.ADMIN)
    box.reread()
    assert box.alarms == {}
