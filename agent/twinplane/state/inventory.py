"""Names of rows in /components."""

from twinplane_wire.path import ROOT, Path

CHASSIS = "chassis"


def component_path(name: str) -> Path:
    """The model path of the component of that name."""
    return ROOT.child("components").child("component", ("name", name))
