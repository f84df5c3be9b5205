"""User ids of guests: one each, kept, never one that somebody else has."""

import asyncio
import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane.errors import DriverError
from twinplane.hypervisor import guest_user, root
from twinplane.hypervisor.domain import parse_label
from twinplane.hypervisor.guest_user import GuestUsers, choose, uid_of, users_of_processes
from twinplane.hypervisor.root import QEMU_USER, EmbeddedRoot
from twinplane.settings import Hypervisor

BASE = 1_900_000_000
NAMES = st.integers(0, 11).map("vm{}".format)


class Libvirt:
    """The definitions that there are: name → label."""

    def __init__(self):
        self.labels = {}

    async def domains(self):
        records = [SimpleNamespace(name=name, label=label) for name, label in self.labels.items()]
        return SimpleNamespace(records=records, silent=())


def users(libvirt, count, owners=set):
    return GuestUsers(
        EmbeddedRoot(Path("/nowhere"), QEMU_USER, 7, uids=range(BASE, BASE + count)), libvirt, owners
    )


@given(st.lists(st.tuples(st.sampled_from(("define", "start", "remove", "agent")), NAMES), max_size=40))
def test_no_two_domains_have_one_id_and_each_keeps_its_own(steps):
    """Also over restarts of the agent, which has nothing but the definitions and the files' owners."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guest_user, "users_of_processes", set)
        asyncio.run(_walk(steps))


async def _walk(steps):
    libvirt, files, uids = Libvirt(), {}, range(BASE, BASE + 12)
    ids = users(libvirt, len(uids), lambda: set(files.values()))
    for step, name in steps:
        kept = libvirt.labels.get(name, "")
        if step == "agent":
            ids = users(libvirt, len(uids), lambda: set(files.values()))
        elif step == "remove":
            libvirt.labels.pop(name, None)
            files.pop(name, None)
            ids.forget(name)
        else:
            label = await ids.label(name, kept, starting=step == "start")
            assert label == kept or not kept
            assert uid_of(label) not in {uid for other, uid in files.items() if other != name}
            libvirt.labels[name] = label
            files[name] = uid_of(label)
        found = [uid_of(label) for label in libvirt.labels.values()]
        assert len(set(found)) == len(found)
        assert set(found) <= set(uids)


@given(st.text(), st.sets(st.integers(BASE, BASE + 9)))
def test_an_id_is_found_as_long_as_one_is_free(name, taken):
    uids = range(BASE, BASE + 10)
    found = choose(name, uids, taken)
    if len(taken) == len(uids):
        assert found is None
    else:
        assert found in set(uids) - taken
        assert choose(name, uids, taken) == found


def test_an_id_that_a_process_has_is_given_up_at_the_start(monkeypatch):
    busy = set()
    monkeypatch.setattr(guest_user, "users_of_processes", lambda: set(busy))

    async def scenario():
        ids = users(Libvirt(), 4)
        label = await ids.label("vm", "", starting=False)
        busy.add(uid_of(label))
        assert await ids.label("vm", label, starting=False) == label
        other = await ids.label("vm", label, starting=True)
        assert other != label
        assert await ids.label("vm", other, starting=True) == other

    asyncio.run(scenario())


def test_domains_that_share_an_id_are_parted_at_the_next_start(monkeypatch):
    monkeypatch.setattr(guest_user, "users_of_processes", set)

    async def scenario():
        libvirt = Libvirt()
        libvirt.labels = {"vma": f"+{BASE}:+7", "vmb": f"+{BASE}:+7"}
        ids = users(libvirt, 4)
        assert await ids.label("vma", libvirt.labels["vma"], starting=True) != libvirt.labels["vmb"]
        assert await ids.label("vmb", libvirt.labels["vmb"], starting=True) == libvirt.labels["vmb"]

    asyncio.run(scenario())


def test_settings_decide_at_the_next_start(monkeypatch):
    monkeypatch.setattr(guest_user, "users_of_processes", set)

    async def scenario():
        assert await users(Libvirt(), 0).label("vm", f"+{BASE}:+7", starting=True) == ""
        assert await users(Libvirt(), 1).label("vm", f"+{BASE - 1}:+7", starting=True) == f"+{BASE}:+7"
        full = users(Libvirt(), 1, lambda: {BASE})
        with pytest.raises(DriverError, match="all 1 user ids") as refusal:
            await full.label("vm", "", starting=False)
        assert "uid_count" in refusal.value.remedy

    asyncio.run(scenario())


def test_processes_of_the_host_have_their_user():
    assert os.geteuid() in users_of_processes()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_a_seed_is_readable_for_its_guest_alone(tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o711)
    seed = tmp_path / "seed.iso"
    seed.write_text("password")
    asyncio.run(users(Libvirt(), 4).hand_over(seed, f"+{BASE}:+7"))
    for uid, readable in ((BASE, True), (BASE + 1, False)):
        done = subprocess.run(
            ["cat", seed], user=uid, group=7, extra_groups=[], capture_output=True, check=False
        )
        assert (done.stdout == b"password") is readable
    asyncio.run(users(Libvirt(), 4).hand_over(tmp_path / "none", f"+{BASE}:+7"))


def test_only_a_label_that_was_written_counts():
    dynamic = "<seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+107</label></seclabel>"
    static = "<seclabel type='static' model='dac' relabel='no'>\n    <label>+5:+6</label>\n  </seclabel>"
    assert parse_label(f"<domain>{dynamic}</domain>") == ""
    assert parse_label(f"<domain>{static}</domain>") == "+5:+6"
    assert uid_of("libvirt-qemu:kvm") is None


def test_the_default_range_is_to_be_had_here():
    assert root.sharing(Hypervisor().uids) == ""


def test_a_range_that_is_not_to_be_had_says_why(tmp_path, monkeypatch):
    account = pwd.getpwall()[-1]
    assert account.pw_name in root.sharing(range(account.pw_uid, account.pw_uid + 1))
    inside = tmp_path / "uid_map"
    inside.write_text("         0     100000      65536\n")
    monkeypatch.setattr(root, "ID_MAP", inside)
    assert "user namespace" in root.sharing(Hypervisor().uids)
    assert root.sharing(range(65_500, 65_530)) == ""


@pytest.mark.parametrize(
    ("mode", "group", "found"),
    [(0o666, 0, 7), (0o660, None, "device"), (0o600, 0, None), (0o660, 0, None), (0o606, 7, None)],
)
def test_under_kvm_guests_have_the_group_of_its_device(monkeypatch, mode, group, found):
    account = pwd.getpwuid(0)
    status = SimpleNamespace(st_mode=mode, st_gid=9 if group is None else group)
    monkeypatch.setattr(root, "KVM_DEVICE", SimpleNamespace(stat=lambda: status))
    monkeypatch.setattr(root.os, "getgrouplist", lambda name, own: [7, 9])
    assert root._kvm_group(account, 7) == (9 if found == "device" else found)
