"""Admission: what is promised fits the host, or the refusal says what would."""

import pytest

from twinplane.errors import Fault, RequestError, Violation
from twinplane.model.rules import admit
from twinplane.tree.node import EMPTY_ROOT, Container
from unit.model.entries import CAPABILITIES, appliance, box, changes, index_of

MIB = 1 << 20
OVERHEAD = 256 * MIB
ROOM = 3072 * MIB  # 4 GiB without the reserve


def refused(old: Container, new: Container) -> list[Violation]:
    try:
        admit(changes(old, new), index_of(old), CAPABILITIES)
    except RequestError as error:
        return list(error.violations)
    return []


def sized(**sizes: int) -> Container:
    return box(appliances=[appliance(name, memory=size * MIB) for name, size in sizes.items()])


def promised(**guarantees: int) -> Container:
    return box(
        appliances=[appliance(name, memory=16 * MIB, guarantee=value) for name, value in guarantees.items()]
    )


def test_the_refusal_of_the_walkthrough() -> None:
    old = sized(fw1=256)
    new = box(appliances=[appliance("fw1"), appliance("big", memory=10 << 40)])
    (violation,) = refused(old, new)
    assert str(violation.path) == "/appliances/appliance[name=big]/memory/config/size"
    assert violation.fault is Fault.CAPACITY
    assert violation.constraint == (
        "10995116277760 bytes (10485760 MiB) + 256 MiB overhead do not fit; free 2560 MiB of 4096 MiB "
        f"(reserve 1024 MiB, committed 512 MiB); at most {ROOM - 3 * OVERHEAD} bytes (2304 MiB)"
    )


def test_what_fits_to_the_byte_is_admitted() -> None:
    assert refused(EMPTY_ROOT, sized(a=2816)) == []
    assert len(refused(EMPTY_ROOT, sized(a=2817))) == 1


def test_the_sum_counts_and_those_that_fit_are_not_blamed() -> None:
    violations = refused(EMPTY_ROOT, sized(a=1024, b=5000, c=1024))
    assert [str(violation.path.elems[1]) for violation in violations] == ["appliance[name=b]"]


def test_growing_counts_against_what_others_have() -> None:
    assert refused(sized(a=1024, b=256), sized(a=1024, b=1536)) == []
    (violation,) = refused(sized(a=1024, b=256), sized(a=1024, b=1537))
    assert f"committed {1024 + 256} MiB" in violation.constraint


def test_one_may_grow_by_what_another_gives_up_in_the_same_request() -> None:
    assert refused(sized(a=2048, b=256), sized(a=256, b=2048)) == []


def test_a_deleted_guest_counts_until_the_commit_unless_it_was_stopped() -> None:
    assert len(refused(sized(a=2048), sized(b=2048))) == 1
    stopped = box(appliances=[appliance("a", memory=2048 * MIB, state="STOPPED")])
    assert refused(stopped, sized(b=2048)) == []


def test_nothing_that_shrinks_or_stays_is_refused_on_an_overcommitted_host() -> None:
    assert refused(sized(a=9000, b=256), sized(a=8999, b=256)) == []
    assert refused(sized(a=9000), EMPTY_ROOT) == []


def test_cpu_guarantees_fit_the_cores() -> None:
    assert refused(EMPTY_ROOT, promised(a=1000, b=1000)) == []
    (violation,) = refused(promised(a=1000, b=500), promised(a=1000, b=1001))
    assert str(violation.path) == "/appliances/appliance[name=b]/compute/share/config/guarantee"
    assert violation.constraint == (
        "1001 millicores do not fit; free 1000 millicores of 2000 millicores "
        "(reserve 0 millicores, committed 1000 millicores); at most 1000 millicores"
    )


@pytest.mark.parametrize("size", [16, 10_000])
def test_memory_and_cpu_are_reported_together(size: int) -> None:
    new = box(appliances=[appliance("a", memory=size * MIB, guarantee=9999)])
    assert len(refused(EMPTY_ROOT, new)) == (1 if size == 16 else 2)
