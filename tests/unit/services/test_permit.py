import logging
from pathlib import Path as File

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import User
from twinplane.schema.compile import Schemas, load_schema
from twinplane.services.auth import Caller
from twinplane.services.permit import MOST, Permits
from twinplane.tree.diff import ObjectChange
from twinplane.tree.node import Container
from twinplane_wire.path import parse

ROOT = File(__file__).parents[3]
LAN = "/virtual-switches/virtual-switch[name=lan]"


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schema(ROOT / "yang", None)


def caller(role: Role, *rules: tuple[str, Access]) -> Caller:
    own = tuple(Rule(parse(path), access) for path, access in rules)
    return Caller("ann", role, "", User("ann", role, "", own))


def change(path: str, **leaves: int) -> ObjectChange:
    return ObjectChange(parse(path), None, Container({"config": Container(dict(leaves))}))


def test_rules_are_read_with_the_names_of_the_schema(schemas: Schemas) -> None:
    written = "/openconfig-system:system", "/twinplane-virtual-switch:virtual-switches/*/config/mtu"
    permit = Permits(schemas).of(caller(Role.OPERATOR, *((path, Access.READ) for path in written)))
    permit([change(LAN, vlan=1)])
    with pytest.raises(RequestError) as caught:
        permit([change(LAN, mtu=1400, vlan=1)])
    (violation,) = caught.value.violations
    assert violation.fault is Fault.DENIED
    assert str(violation.path) == f"{LAN}/config/mtu"


def test_the_socket_s_own_identity_has_the_rules_of_its_role(schemas: Schemas) -> None:
    permits = Permits(schemas)
    permits.of(Caller("local-admin", Role.ADMIN))([change("/system/config", hostname=1)])
    for role in (Role.OPERATOR, Role.READ_ONLY):
        with pytest.raises(RequestError):
            permits.of(Caller("local", role))([change("/system/config", hostname=1)])


def test_a_refusal_has_a_bound(schemas: Schemas) -> None:
    many = {f"leaf-{number}": number for number in range(2 * MOST)}
    with pytest.raises(RequestError) as caught:
        Permits(schemas).of(Caller("bob", Role.READ_ONLY))([change(LAN, **many)])
    assert len(caught.value.violations) == MOST


def test_a_rule_that_names_nothing_is_told(schemas: Schemas, caplog: pytest.LogCaptureFixture) -> None:
    rules = (Rule(parse("/virtual-switchs"), Access.READ), Rule(parse("/images"), Access.READ))
    with caplog.at_level(logging.WARNING):
        Permits(schemas).check({"ann": User("ann", Role.OPERATOR, "", rules)})
    assert [record.getMessage() for record in caplog.records] == [
        "a rule of user ann names /virtual-switchs, which no model has"
    ]
