"""The library of modules (RFC 8525), under the origin `ietf`: what ListSchemas and Capabilities say, as data.

One set of modules is behind one schema, which all datastores have.
"""

from collections.abc import Iterator

from twinplane.schema import text
from twinplane.schema.compile import Schemas
from twinplane.state.section import Section
from twinplane_wire.path import Elem, Path

ORIGIN = "ietf"
LIBRARY = Path((Elem("yang-library"),), ORIGIN)
ALL = "all"
DATASTORES = ("running", "candidate", "operational")


def library(schemas: Schemas) -> Iterator[Section]:
    """The modules of all origins; nothing where the library itself is not among them."""
    if ORIGIN not in schemas.tables:
        return
    modules = LIBRARY.child("module-set", ("name", ALL))
    for module in text.modules(schemas):
        if module.implemented:
            leaves = {"revision": module.revision} if module.revision else {}
            place = modules.child("module", ("name", module.name))
            yield Section(place, {**leaves, "namespace": module.namespace})
        else:
            place = modules.child("import-only-module", ("name", module.name), ("revision", module.revision))
            yield Section(place, {"namespace": module.namespace})
    yield Section(LIBRARY.child("schema", ("name", ALL)), {"module-set": (ALL,)})
    for name in DATASTORES:
        place = LIBRARY.child("datastore", ("name", f"ietf-datastores:{name}"))
        yield Section(place, {"schema": ALL})
    yield Section(LIBRARY, {"content-id": schemas.digest})
