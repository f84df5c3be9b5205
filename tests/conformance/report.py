"""The table of all rows: which are proved. A row is green only when every test that carries its id passed."""

from pathlib import Path as File

import pytest

ROWS = File(__file__).with_name("rows.tsv")
HEAD = """\
# Conformance

`make conformance` writes this page. Each row is one requirement on a gNMI target; it is green when every test
that carries its id passed, and open while it has none. MUST-d and SHOULD-d are not written in the gNMI text
itself but follow from YANG, gRPC, or what the reference clients enforce.

"""


class Row:
    """One requirement."""

    def __init__(self, line: str) -> None:
        self.id, self.level, self.title = line.split("\t")
        self.outcomes: dict[str, bool] = {}

    @property
    def result(self) -> str:
        if not self.outcomes:
            return "open"
        return "pass" if all(self.outcomes.values()) else "FAIL"


class Report:
    """A plugin of pytest: gathers outcomes by row, prints the table, writes it where that is asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._file = config.getoption("--conformance", None)
        self._rows = {row.id: row for row in map(Row, ROWS.read_text().splitlines())}
        self._carried: dict[str, tuple[str, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            ids = tuple(name for mark in item.iter_markers("row") for name in mark.args)
            unknown = [name for name in ids if name not in self._rows]
            if unknown:
                raise pytest.UsageError(f"{item.nodeid}: no such row: {', '.join(unknown)}")
            self._carried[item.nodeid] = ids

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name in self._carried.get(report.nodeid, ()):
            before = self._rows[name].outcomes.get(report.nodeid, True)
            self._rows[name].outcomes[report.nodeid] = before and report.passed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._file is None:
            return
        table = self._table()
        File(self._file).parent.mkdir(exist_ok=True)
        File(self._file).write_text(HEAD + table)
        terminalreporter.write_line("")
        terminalreporter.write_line(table)

    def _table(self) -> str:
        rows = list(self._rows.values())
        results = [row.result for row in rows]
        counted = f"{results.count('pass')} of {len(rows)} rows pass, {results.count('FAIL')} fail, "
        lines = [counted + f"{results.count('open')} are open.", "", *_by_level(rows), ""]
        lines += ["| Row | Level | Requirement | Result |", "| --- | --- | --- | --- |"]
        lines += [f"| {row.id} | {row.level} | {row.title} | {row.result} |" for row in rows]
        return "\n".join(lines) + "\n"


def _by_level(rows: list[Row]) -> list[str]:
    """A table of counts; a row of two levels counts with the first."""
    levels: dict[str, list[str]] = {}
    for row in rows:
        levels.setdefault(row.level.split()[0].rstrip(","), []).append(row.result)
    lines = ["| Level | Rows | Pass | Fail | Open |", "| --- | --- | --- | --- | --- |"]
    for level, found in levels.items():
        counts = " | ".join(str(found.count(result)) for result in ("pass", "FAIL", "open"))
        lines.append(f"| {level} | {len(found)} | {counts} |")
    return lines
