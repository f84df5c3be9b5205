"""The log: one line for each event, whatever a client wrote."""

import logging

import pytest

from twinplane import log


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger("twinplane.test")


def test_a_line_says_where_and_what_is_worked_on(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("INFO")
    with log.context(user="ann"), log.context(path="/images"):
        logger.info("done: %d", 7)
        logger.debug("not shown")
    assert capsys.readouterr().err.endswith(" INFO twinplane.test: done: 7 user=ann path=/images\n")


def test_nobody_writes_lines_of_his_own(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    with log.context(user="ann\r"):
        logger.warning("/x[name=%s] is unknown", "a\n12:00:00 INFO twinplane: forged\x1b[2J\u2028b")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"/x[name=a\n12:00:00 INFO twinplane: forged\x1b[2J\u2028b] is unknown user=ann\r")


def test_a_traceback_keeps_its_lines(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    try:
        raise ValueError("here")
    except ValueError:
        logger.exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: here"
