"""The probe of network features: right about this kernel, and gone without a trace."""

import pytest

from kernel.host import names, tool
from kernel.namespace import isolated
from twinplane.capability.network import FEATURES, probe_network

pytestmark = pytest.mark.kernel


@isolated
async def test_what_the_agent_needs_is_there_and_nothing_is_left_behind() -> None:
    before = tool("ip", "-details", "link"), tool("tc", "qdisc")
    found = {capability.name: capability for capability in probe_network()}
    assert tuple(found) == (*FEATURES, "unfiltered-bridge")
    for name in FEATURES:
        assert found[name].available, found[name].reason
    assert (tool("ip", "-details", "link"), tool("tc", "qdisc")) == before
    assert names() == {"lo"}


@isolated
async def test_without_permission_every_feature_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        """A C library whose unshare fails."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def unshare(self, _flags: int) -> int:
            return -1

    monkeypatch.setattr("twinplane.capability.network.ctypes.CDLL", Refusing)
    for capability in probe_network()[: len(FEATURES)]:
        assert not capability.available
        assert "run the agent as root" in capability.reason
