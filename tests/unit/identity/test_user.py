import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twinplane.errors import StartError
from twinplane.identity import checking, password, user
from twinplane.identity.directory import Directory
from twinplane.identity.document import LARGEST
from twinplane.identity.role import Access, Role
from twinplane.identity.user import User


def test_the_first_file_holds_admin_without_password(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    user.ensure_users(path)
    assert user.read_users(path) == {"admin": User("admin", Role.ADMIN)}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("# mine\n")
    user.ensure_users(path)
    assert path.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user = 3", "not a list"),
        ("x", "not valid TOML: .*; correct it"),
        ("", "is empty; restore it .* user add"),
        (" \n\ufeff", "not valid TOML"),
        ("\ufeff \r\n", "is empty"),
        ("x = " + "[" * 100_000, "nested too deeply|not valid TOML"),
        ("# " + "x" * LARGEST, f"more than {LARGEST} bytes"),
        ("a\0", "not valid TOML"),
        ('[[user]]\nname = "a"', "role is one of"),
        ('[[user]]\nname = "a"\nrole = "king"', "role is one of"),
        ('[[user]]\nrole = "admin"', "name is missing"),
        ('[[user]]\nname = "a b"\nrole = "admin"', "cannot be a user name; use a letter"),
        ('[[user]]\nname = "a\\u0000"\nrole = "admin"', "cannot be a user name"),
        ('[[user]]\nname = "local-admin"\nrole = "operator"', "cannot be a user name.* not local-admin"),
        ('[[user]]\nname = "local-read-only"\nrole = "operator"', "cannot be a user name"),
        ('[[user]]\nname = "a"\nrole = ["admin"]', "role is one of"),
        ('[[user]]\nname = "a"\nrole = "admin"\nhome = "/"', "only name, role, password and rules"),
        ('[[user]]\nname = "a"\nrole = "admin"\npassword = "secret"', "not of the form"),
        ('[[user]]\nname = "a"\nrole = "admin"\n[[user]]\nname = "a"\nrole = "admin"', "twice"),
    ],
)
def test_a_bad_file_is_refused_with_the_entry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "users.toml"
    path.write_text(text)
    with pytest.raises(StartError, match=message) as caught:
        user.read_users(path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_other_systems_write_is_as_good(tmp_path: Path, form: str, end: str) -> None:
    path, lines = tmp_path / "users.toml", ("# from Zoë", "[[user]]", 'name = "ann"', 'role = "admin"', "")
    path.write_bytes(end.join(lines).encode(form))
    assert set(user.read_users(path)) == {"ann"}
    path.write_bytes(end.join(lines).encode("utf-16"))
    with pytest.raises(StartError, match="write it in UTF-8"):
        user.read_users(path)


def test_only_a_regular_file_is_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    os.mkfifo(path)
    with pytest.raises(StartError, match="not a regular file"):
        user.read_users(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(StartError, match=r"not a regular file|Is a directory"):
        user.read_users(path)
    with pytest.raises(StartError, match=r"No such file .*restore it"):
        user.read_users(tmp_path / "other.toml")


def test_verify_reload_and_remember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "users.toml"
    user.set_user(path, "ann", Role.OPERATOR, "right")
    directory = Directory(path)
    calls: list[str] = []

    def counted(text: str, stored: str) -> bool:
        calls.append(text)
        return password.matches(text, stored)

    monkeypatch.setattr(checking, "matches", counted)

    async def scenario() -> None:
        found = await directory.verify("ann", "right")
        assert found is not None
        assert found.role is Role.OPERATOR
        assert await directory.verify("ann", "right") == found
        assert calls == ["right"]  # the second time was remembered
        assert await directory.verify("ann", "wrong") is None
        assert await directory.verify("ann", "wrong") is None
        assert await directory.verify("bob", "right") is None
        assert len(calls) == 4  # failures are never remembered; an unknown user costs the same
        user.set_user(path, "ann", Role.READ_ONLY, "other")
        directory.reload()
        assert await directory.verify("ann", "right") is None
        changed = await directory.verify("ann", "other")
        assert changed is not None
        assert changed.role is Role.READ_ONLY

    asyncio.run(scenario())


def test_a_user_without_password_never_verifies(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    user.ensure_users(path)
    directory = Directory(path)
    assert asyncio.run(directory.verify("admin", "")) is None
    assert directory.get("admin") == User("admin", Role.ADMIN)
    assert directory.get("ann") is None


def test_a_failed_reload_keeps_the_users(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    user.ensure_users(path)
    directory = Directory(path)
    path.write_text("garbage")
    with pytest.raises(StartError):
        directory.reload()
    assert directory.get("admin") is not None


def test_a_password_is_never_printed() -> None:
    assert "abc" not in repr(User("ann", Role.ADMIN, "scrypt$abc"))


def test_hash_form() -> None:
    stored = password.hash_password("pässword")
    assert password.matches("pässword", stored)
    assert not password.matches("password", stored)
    assert password.hash_password("pässword") != stored
    narrow = stored.replace("$16384$8$", "$65536$1$")  # which OpenSSL refuses when it is used
    for bad in ("", "plain", "scrypt$1$8$1$AA==$AA==", "scrypt$16384$8$1$AA==$AA==", stored + "$x", narrow):
        with pytest.raises(password.PasswordHashError):
            password.matches("x", bad)
    huge = stored.replace("$16384$", "$1073741824$")
    with pytest.raises(password.PasswordHashError, match="range"):
        password.matches("x", huge)


def test_roles() -> None:
    assert [role for role in Role if role.allows(Access.WRITE)] == [Role.OPERATOR, Role.ADMIN]
    assert all(role.allows(Access.READ) for role in Role)
    assert Role.ADMIN.lower(Role.READ_ONLY) is Role.READ_ONLY
    assert Role.READ_ONLY.lower(Role.OPERATOR) is Role.READ_ONLY


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    user.ensure_users(path)
    with ThreadPoolExecutor(8) as pool:
        added = [pool.submit(user.put_user, path, User(f"u{n}", Role.OPERATOR)) for n in range(40)]
        revoked = [pool.submit(user.revoke, path, n) for n in range(40)]
        for one in (*added, *revoked):
            one.result()
    users, serials = user.read(path)
    assert set(users) == {"admin", *(f"u{n}" for n in range(40))}
    assert serials == set(range(40))
    with pytest.raises(StartError, match="cannot change the files of"):
        user.revoke(tmp_path / "missing/users.toml", 1)
