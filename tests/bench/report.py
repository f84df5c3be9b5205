"""What a row gives, and the table and the file made of it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table. `value` and `floor` are in `unit`; `ratio` is value over floor, also where more
    is better (then `aim` begins with ≥). A part of another line has no floor and no aim."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    aim: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is: a limit of the ratio ("≤ 1.3×"), of the value ("≤ 1.5 s") or of what it is more
        than the floor ("≤ 2 ms over it"). None without an aim."""
        if not self.aim:
            return None
        sign, number, *words = self.aim.replace("×", " ×").split()
        if words == ["×"]:
            reached = self.ratio or 0.0
        else:
            reached = self.value - (self.floor or 0.0) if "over" in words else self.value
        return reached <= float(number) if sign == "≤" else reached >= float(number)


def emit(*measurements: Measurement) -> None:
    """Hand measurements to the process that started this row."""
    for measurement in measurements:
        print(json.dumps(asdict(measurement)), flush=True)


def read(lines: Iterable[str]) -> tuple[Measurement, ...]:
    """What a row has emitted."""
    return tuple(Measurement(**json.loads(line)) for line in lines if line.startswith("{"))


def show(measurement: Measurement) -> str:
    """One line of the table."""
    floor = "" if measurement.floor is None else _number(measurement.floor)
    ratio = "" if measurement.ratio is None else f"{measurement.ratio:.2f}×"
    missed = "" if measurement.met is not False else "  MISSED"
    note = f"  {measurement.note}" if measurement.note else ""
    columns = f"{measurement.name:<52} {_number(measurement.value):>10} {floor:>10} {measurement.unit:<13}"
    return f"{columns} {ratio:>8}  {measurement.aim:<14}{missed}{note}".rstrip()


HEADING = f"{'':<52} {'value':>10} {'floor':>10} {'unit':<13} {'ratio':>8}  aim"


def write(file: Path, measurements: Iterable[Measurement]) -> None:
    """The table as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(one), "ratio": one.ratio, "met": one.met} for one in measurements]
    document = {"python": sys.version.split()[0], "rows": rows}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"
