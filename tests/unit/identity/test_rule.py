import pytest

from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule, may_write, rules_of
from twinplane_wire.path import parse

FW1 = "/appliances/appliance[name=fw1]"


def rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(parse(path), Access(access)) for path, access in pairs)


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        (Role.READ_ONLY, "/images", False),
        (Role.READ_ONLY, FW1, False),  # whatever the user's own rules say
        (Role.OPERATOR, "/images", True),
        (Role.OPERATOR, "/system/config/hostname", False),
        (Role.OPERATOR, "other:/system", True),
        (Role.OPERATOR, "/systems", True),
        (Role.ADMIN, "/system/config/hostname", True),
    ],
)
def test_what_a_role_may_write(role: Role, path: str, allowed: bool) -> None:
    assert may_write(rules_of(role, rules((FW1, "write"))), parse(path)) is allowed


@pytest.mark.parametrize(
    ("given", "path", "allowed"),
    [
        ([("/appliances", "read"), (FW1, "write")], f"{FW1}/config/image", True),
        ([("/appliances", "read"), (FW1, "write")], "/appliances/appliance[name=fw2]/config/image", False),
        ([(FW1, "write"), ("/appliances", "read")], f"{FW1}/config/image", True),
        # At equal length what is spelled out decides, among equals the last one.
        ([(FW1, "read"), ("/appliances/appliance[name=*]", "write")], FW1, False),
        ([("/appliances/appliance", "write"), (FW1, "read")], FW1, False),
        ([(FW1, "read"), (FW1, "write")], FW1, True),
        ([("/*/appliance", "read")], FW1, False),
        ([("*:/", "read")], "fixture:/samples", False),
        ([("/", "read")], "fixture:/samples", True),
        ([("/system", "write")], "/system/config", True),
        # What stands above a rule is not meant by it.
        ([(f"{FW1}/config", "read")], FW1, True),
    ],
)
def test_the_longest_path_decides(given: list[tuple[str, str]], path: str, allowed: bool) -> None:
    assert may_write(rules_of(Role.OPERATOR, rules(*given)), parse(path)) is allowed


def test_no_rule_is_no_permission() -> None:
    assert not may_write((), parse("/images"))
