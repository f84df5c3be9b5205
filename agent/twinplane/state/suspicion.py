"""Which objects a fact of a source casts doubt on: something that configuration decides is not what it was.

Doubt is all it is: whether the host differs from what is wanted is for the writer to find out. What moves by
itself (counters, carrier, operational state of links) casts none. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from twinplane.model.port import interface_path
from twinplane.plan.resource import Htb, Noun, Redirect
from twinplane.state.facts import DomainFact, DomainGone, Fact, LinkFact, LinkGone, ResourceGone
from twinplane.state.translate.known import Known
from twinplane_wire.path import Path


def suspects(known: Known, facts: Iterable[Fact]) -> frozenset[Path]:
    """The objects concerned, where `known` is what was known before these facts."""
    return frozenset(
        Path(owner.elems[:2], owner.origin)
        for fact in facts
        if (judge := _JUDGES.get(type(fact))) is not None
        for owner in judge(known, fact)
    )


def _link(known: Known, link: LinkFact) -> Iterator[Path]:
    before = known.links.get(link.name)
    if before is not None and _wanted(before) == _wanted(link):
        return
    yield from _concerned(known, before)
    yield from _concerned(known, link)


def _link_gone(known: Known, gone: LinkGone) -> Iterator[Path]:
    yield from _concerned(known, known.links.get(gone.name))


def _wanted(link: LinkFact) -> tuple[object, ...]:
    return link.kind, link.mtu, link.mac, link.owner, link.up, link.master, link.alternatives


def _concerned(known: Known, link: LinkFact | None) -> Iterator[Path]:
    """Whose device it is, who has it configured, and whose bridge it is in."""
    if link is None:
        return
    if link.owner is not None:
        yield link.owner
    for name in link.names:
        yield from _host_port(known, name)
    master = None if link.master is None else known.links.get(link.master)
    if link.owner is None and master is not None and master.owner is not None:
        yield master.owner


def _host_port(known: Known, name: str) -> Iterator[Path]:
    yield from known.wanted_ports.get(name, ())
    if interface_path(name) in known.config:
        yield interface_path(name)


def _shaper(known: Known, shaper: Htb) -> Iterator[Path]:
    if known.shapers.get(shaper.device) != shaper:
        yield shaper.owner


def _redirect(known: Known, redirect: Redirect) -> Iterator[Path]:
    if known.redirects.get(redirect.device) != redirect:
        yield redirect.owner


def _resource_gone(known: Known, gone: ResourceGone) -> Iterator[Path]:
    device, _, place = gone.key.name.partition(" ")
    if gone.key.noun is not Noun.QDISC or device in (known.shapers if place == "root" else known.redirects):
        yield gone.owner


def _domain(known: Known, domain: DomainFact) -> Iterator[Path]:
    before = known.domains.get(domain.owner)
    if before is None or before.state != domain.state or before.uuid != domain.uuid:
        yield domain.owner


def _domain_gone(known: Known, gone: DomainGone) -> Iterator[Path]:
    if gone.owner in known.domains:
        yield gone.owner


_JUDGES: Mapping[type, Callable[[Known, Any], Iterator[Path]]] = {
    LinkFact: _link,
    LinkGone: _link_gone,
    Htb: _shaper,
    Redirect: _redirect,
    ResourceGone: _resource_gone,
    DomainFact: _domain,
    DomainGone: _domain_gone,
}
