"""The record of one commit."""

from dataclasses import dataclass
from enum import Enum


class Confirmation(Enum):
    """What became of a commit that had to be confirmed; NOT_ASKED: it had not to."""

    NOT_ASKED = ""
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken-back"


@dataclass(frozen=True, slots=True)
class Commit:
    """The record of one commit; `time` in ns since the epoch."""

    number: int
    time: int
    author: str
    source: str
    peer: str
    comment: str
    confirmation: Confirmation = Confirmation.NOT_ASKED
