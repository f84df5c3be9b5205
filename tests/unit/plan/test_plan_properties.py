"""Plans as a whole: they lead where they should from wherever a host stands, and back."""

from pathlib import PurePath

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinplane.model.appliance import (
    AdminState,
    Appliance,
    CpuShare,
    RateLimit,
    SeedFile,
    Vnic,
)
from twinplane.model.image import Image, ImageFile
from twinplane.model.port import HostPort
from twinplane.model.switch import VirtualSwitch
from twinplane.plan import plan as planner
from twinplane.plan.context import Context
from twinplane.plan.order import RULES
from twinplane.plan.plan import disruptions, plan
from twinplane.plan.resource import (
    Domain,
    ForeignValue,
    Htb,
    Key,
    Link,
    Noun,
    Plug,
    Redirect,
    Resource,
    Run,
)
from twinplane.plan.step import Effect, Phase
from twinplane_wire.path import ROOT
from unit.model.entries import CAPABILITIES, DIGEST, INSTANCE
from unit.plan.world import DEVICES, World, masked, needs, perform

# Whole boxes take long to draw beside a busy machine.
settings.register_profile(
    "boxes", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
boxes = settings.get_profile("boxes")

PORTS = ("p1", "p2")
FOREIGN = {
    (device, name): ForeignValue(device, name, value, ROOT)
    for device in PORTS
    for name, value in (("address-generation", 0), ("up", 1), ("mtu", 1500))
}

rates = st.none() | st.sampled_from([RateLimit(1_000_000, None), RateLimit(2_000_000, 9000)])


@st.composite
def vnics(draw: st.DrawFn) -> tuple[Vnic, ...]:
    return tuple(
        Vnic(
            name,
            index,
            None,
            draw(st.sampled_from([1500, 9000])),
            draw(st.sampled_from(["lan", "wan"])),
            draw(rates),
            draw(rates),
        )
        for index, name in enumerate(("v0", "v1"))
        if draw(st.booleans())
    )


@st.composite
def realised(draw: st.DrawFn) -> World:
    """What realises some configuration. Both switches and the image are there whenever an appliance is."""
    image = Image("i", ImageFile("k", draw(st.sampled_from([DIGEST, DIGEST[:-1] + "1"]))), None, "")
    found: list[planner.Model] = []
    for name in ("a1", "a2"):
        if draw(st.booleans()):
            content = draw(st.sampled_from(["x", "y"]))
            found.append(
                Appliance(
                    name=name,
                    image="i",
                    admin_state=draw(st.sampled_from(AdminState)),
                    stop_timeout=60,
                    vcpus=1,
                    cpu=CpuShare(None, draw(st.sampled_from([None, 100]))),
                    memory=16 << 20,
                    vnics=draw(vnics()),
                    files=(SeedFile("f", content),),
                )
            )
    if found or draw(st.booleans()):
        free = list(PORTS)
        for name in ("lan", "wan"):
            ports = tuple(port for port in tuple(free) if draw(st.booleans()))
            free = [port for port in free if port not in ports]
            found.append(VirtualSwitch(name, draw(st.sampled_from([1500, 9000])), ports))
        found.append(image)
    for port in PORTS:
        if draw(st.booleans()):
            mtu = draw(st.sampled_from([None, 9000]))
            found.append(HostPort(port, draw(st.booleans()), mtu))
    return planner.resources(found, Context(INSTANCE, CAPABILITIES, {"i": image}, PurePath("/s")))


@boxes
@given(realised())
def test_nothing_to_do_is_an_empty_plan(there: World) -> None:
    assert not plan(there, there, FOREIGN)


@boxes
@given(realised(), realised())
def test_a_plan_leads_to_what_is_wanted_and_then_there_is_nothing_to_do(old: World, new: World) -> None:
    reached = masked(perform(old, plan(old, new, FOREIGN).steps), new)
    assert reached == new
    assert not plan(reached, new, FOREIGN)


@boxes
@given(realised(), realised(), st.integers(0, 60))
def test_from_wherever_a_plan_broke_off_both_ends_can_be_reached(old: World, new: World, cut: int) -> None:
    steps = plan(old, new, FOREIGN).steps
    middle = perform(old, steps[: min(cut, len(steps))])
    for target in (old, new):
        facts = {key: resource for key, resource in middle.items() if not _let_go(resource, target.get(key))}
        assert masked(perform(facts, plan(facts, target, FOREIGN).steps), target) == target


@boxes
@given(realised(), realised(), st.integers(0, 60))
def test_what_was_done_before_the_commit_is_undone_by_the_swapped_steps(
    old: World, new: World, cut: int
) -> None:
    whole = plan(old, new, FOREIGN)
    if whole.effect > Effect.LINK_FLAP:
        return  # such a plan ends a guest; a Set is refused before it comes to this
    done = [step for step in whole.steps if step.phase is not Phase.FINAL][:cut]
    undone = perform(perform(old, done), [step.inverse() for step in reversed(done)])
    assert _difference(masked(undone, old), masked(old, old)) == {}


@boxes
@given(realised(), realised())
def test_phases_come_in_order_and_what_a_step_needs_comes_in_an_earlier_one(old: World, new: World) -> None:
    steps = plan(old, new, FOREIGN).steps
    assert [step.phase for step in steps] == sorted(step.phase for step in steps)
    made = {step.key: step.phase for step in reversed(steps) if step.before is None}
    runs = {step.key: step.phase for step in reversed(steps) if isinstance(step.after, Domain)}
    for step in steps:
        if step.after is None or step.phase is Phase.FINAL:
            continue
        for key in needs(step.after):
            if key.noun is Noun.DOMAIN:
                assert runs.get(key, Phase.FILE) < step.phase or runs[key] is Phase.FINAL
            else:
                assert made.get(key, Phase.FILE) < step.phase
        if step.phase is Phase.GUEST:
            assert all(_place(key) < Phase.GUEST for key in made if key.noun in (*DEVICES, Noun.SEED))
        if step.phase is Phase.RESUME:
            assert all(phase < Phase.RESUME for key, phase in made.items() if key.noun is not Noun.DOMAIN)


@boxes
@given(realised(), realised())
def test_before_the_commit_nothing_is_deleted_that_cannot_be_made_again(old: World, new: World) -> None:
    for step in plan(old, new, FOREIGN).steps:
        if step.phase is Phase.FINAL or step.after is not None:
            continue
        assert step.key.noun in (Noun.IMAGE_FILE, Noun.SEED, Noun.QDISC)


@boxes
@given(realised(), realised())
def test_a_redirect_never_leads_into_a_device_that_is_down_while_traffic_flows(
    old: World, new: World
) -> None:
    steps = plan(old, new, FOREIGN).steps
    for step in steps:
        if isinstance(step.after, Redirect) and Key(Noun.TAP, step.after.device) in old:
            plugged = [other for other in steps if other.key == Key(Noun.PORT, step.after.target)]
            assert all(other.phase < step.phase for other in plugged)


@boxes
@given(realised(), realised())
def test_a_guest_that_starts_gets_its_queues_and_share_before_it_runs(old: World, new: World) -> None:
    world = old
    for step in plan(old, new, FOREIGN).steps:
        world = perform(world, [step])
        if step.phase is Phase.RESUME:
            domain = step.key.name
            want = {
                key: resource
                for key, resource in new.items()
                if (isinstance(resource, Htb) and resource.domain == domain)
                or key == Key(Noun.SCHEDULER, domain)
            }
            assert {key: world.get(key) for key in want} == want


@boxes
@given(realised(), realised())
def test_only_running_appliances_are_disturbed_and_refused(old: World, new: World) -> None:
    steps = plan(old, new, FOREIGN)
    running = {
        resource.owner
        for resource in old.values()
        if isinstance(resource, Domain) and resource.run is Run.RUNNING
    }
    for step in steps.steps:
        if step.effect is not Effect.NONE:
            assert any(owner.is_prefix_of(step.owner) for owner in running)
    for violation in disruptions(steps.steps):
        assert violation.path in running
        assert violation.remedy == "set admin-state STOPPED first"


def test_deleting_and_stopping_are_never_refused() -> None:
    domain = Domain(
        "vm", INSTANCE, ROOT.child("appliances").child("appliance", ("name", "a")), "d", Run.RUNNING
    )
    gone = plan({domain.key: domain}, {}, {})
    assert [(step.phase, step.effect) for step in gone.steps] == [
        (Phase.ASIDE, Effect.NONE),
        (Phase.FINAL, Effect.NONE),
    ]
    stopped = Domain(domain.name, domain.uuid, domain.owner, "d", Run.STOPPED)
    assert disruptions(plan({domain.key: domain}, {domain.key: stopped}, {}).steps) == ()


def test_a_port_without_a_remembered_value_is_only_let_go() -> None:
    plug = Plug("p", ROOT.child("x"), "br", 1)
    (aside, last) = plan({plug.key: plug}, {}, {}).steps
    assert isinstance(aside.after, Plug)
    assert aside.after.master is None
    assert (last.phase, last.after) == (Phase.FINAL, None)


def test_every_noun_has_its_rule() -> None:
    assert set(RULES) == set(Noun)


def _difference(left: World, right: World) -> dict[Key, tuple[Resource | None, Resource | None]]:
    return {key: (left.get(key), right.get(key)) for key in left | right if left.get(key) != right.get(key)}


def _let_go(resource: Resource, wanted: Resource | None) -> bool:
    return wanted is None and isinstance(resource, Plug | Link) and _own(resource)


def _own(resource: Plug | Link) -> bool:
    if isinstance(resource, Plug):
        return resource.master is None and resource.address_generation == 0
    return resource.up in (None, True) and resource.mtu in (None, 1500)


def _place(key: Key) -> Phase:
    return Phase.FILE if key.noun is Noun.SEED else Phase.DEVICE
