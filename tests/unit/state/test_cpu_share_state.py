"""The CPU share that is set, in millicores, on hosts that count weights differently."""

from twinplane.model.host import Accelerator, Capabilities
from twinplane.plan.resource import Scheduler
from twinplane.state.facts import Fact, HostFact
from twinplane.state.translate.known import Known
from twinplane.state.translate.registry import learn
from twinplane_wire.path import ROOT

FW1 = ROOT.child("appliances").child("appliance", ("name", "fw1"))
HOST = Capabilities(64, 1 << 38, 0, 0, Accelerator.KVM, 0, core_shares=156)


def guarantees(*facts: Fact) -> list[object]:
    """What state says of the guarantee after each fact that concerns it."""
    known = Known()
    return [
        section.leaves["guarantee"]
        for fact in facts
        for unit in list(learn(known, fact))
        for section in unit.translate(known, unit.subject)
        if section.container.elems[:2] == FW1.elems
    ]


def test_a_guarantee_is_what_its_weight_means_on_this_host_whoever_speaks_first() -> None:
    scheduler = Scheduler("vm", FW1, -1, 100_000, 156 * 12)
    host = HostFact("box", 0, HOST)
    assert guarantees(host, scheduler) == [12_000]
    assert guarantees(scheduler, host)[-1] == 12_000
