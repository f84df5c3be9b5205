"""Appliance → seed, vNICs, domain and CPU share."""

from functools import partial

from twinplane.model.appliance import AdminState, Appliance
from twinplane.model.capability import CPU_CONTROLLER
from twinplane.model.names import domain_name, domain_uuid
from twinplane.plan.appliance import domain_xml, seed, vnic
from twinplane.plan.context import Context
from twinplane.plan.resource import Domain, Resource, Run, Scheduler, Seed
from twinplane.share.cpu import quota, shares


def realise(appliance: Appliance, context: Context) -> tuple[Resource, ...]:
    """The resources of an appliance. A stopped one keeps its definition, taps and seed; the CPU share and the
    queues towards it exist only with a guest. A host that cannot give shares adopts a guest without one.

    Raises:
        KeyError: its image is not among `context.images` (references are judged before).
    """
    name = domain_name(context.instance, appliance.path)
    uuid = domain_uuid(context.instance, appliance.path)
    running = appliance.admin_state is AdminState.RUNNING
    definition = domain_xml.definition(appliance, context.images[appliance.image], context)
    resources: list[Resource] = [
        Seed(
            file=seed.seed_file(uuid),
            digest=definition.seed_digest,
            owner=appliance.path,
            uuid=uuid,
            hostname=appliance.name,
            files=appliance.files,
        )
    ]
    for item in appliance.vnics:
        path = appliance.vnic_path(item.name)
        resources += vnic.realise(context.instance, name, path, item, running=running)
    resources.append(
        Domain(
            name=name,
            uuid=uuid,
            owner=appliance.path,
            digest=definition.digest,
            run=Run.RUNNING if running else Run.STOPPED,
            xml=partial(domain_xml.write, definition, appliance.name),
            title=appliance.name,
            stop_timeout=appliance.stop_timeout,
        )
    )
    if running and not context.capabilities.lacks(CPU_CONTROLLER):
        limit = quota(appliance.cpu.limit)
        weight = shares(appliance.cpu.guarantee, context.capabilities.core_shares)
        resources.append(Scheduler(name, appliance.path, limit.quota, limit.period, weight))
    return tuple(resources)
