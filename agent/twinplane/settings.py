"""The daemon's own settings: where it listens and keeps its files. Frozen; never YANG data.

Read from a TOML file, then overridden by environment variables ``TWINPLANE_<SECTION>_<NAME>``. Relative paths
are taken from the directory of the file, those of a variable from the working directory.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from twinplane.errors import StartError

MIB = 1024 * 1024
MOST = 10**12  # of any number: bytes of as many MiB still fit into 64 bits
MOST_COMMITS = 10**9
LEAST_CONSOLE, MOST_CONSOLE = 64, 1024 * 1024  # KiB
MOST_COPIES = 10_000
LEAST_UID, PAST_UIDS = 65_536, 2**31  # below are accounts; some programs take larger ones for negative
PORTS = 2**16
_ADDRESS = re.compile(r"(\[[^\[\]\s]+\]|[^\[\]:/\s]+):(?P<port>[0-9]{1,5})")


class TlsMode(Enum):
    """How a TCP listener authenticates its clients."""

    MUTUAL = "MUTUAL"  # a client certificate of our CA; a password, when sent, is checked on top
    PASSWORD = "PASSWORD"


class AcceleratorSetting(Enum):
    """How guests are executed; AUTO takes KVM only after a probe guest really ran."""

    AUTO = "AUTO"
    KVM = "KVM"
    TCG = "TCG"


class LeafListUpdate(Enum):
    """What an update does to a leaf-list that is in no order: add what is missing, or overwrite."""

    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Agent:
    """Section [agent]: directories."""

    state_dir: Path = Path("/var/lib/twinplane")
    image_dir: Path = Path("/var/lib/twinplane-images")
    yang_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """Section [listen]: `addresses` as host:port (none: the sockets below the state directory alone); `mode`
    of all of them."""

    addresses: tuple[str, ...] = ("[::]:9339",)
    mode: TlsMode = TlsMode.MUTUAL

    def __post_init__(self) -> None:
        for address in self.addresses:
            match = _ADDRESS.fullmatch(address)
            if match is None or int(match["port"]) >= PORTS:
                raise StartError(
                    f"listen.addresses: {address!r} is no address; write host:port, an IPv6 host in brackets"
                )


@dataclass(frozen=True, slots=True)
class Gnmi:
    """Section [gnmi]: where the specification leaves a choice. With `require_arbitration` a Set has to carry
    the Master Arbitration extension."""

    leaf_list_update: LeafListUpdate = LeafListUpdate.MERGE
    require_arbitration: bool = False


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """Section [hypervisor]: QEMU runs inside the agent; `accelerator` says how it executes guests,
    `allow_root` whether they may run as root where no other user can be had (else such a start is refused),
    `console_log` how many KiB of a guest's console are kept before they become the older part. Each guest has
    a user id of its own of the `uid_count` from `uid_base` on; with a count of 0 they share one. The default
    follows on those of systemd's containers (systemd, UIDS-GIDS)."""

    accelerator: AcceleratorSetting = AcceleratorSetting.AUTO
    allow_root: bool = False
    console_log: int = 1024
    uid_base: int = 0x7000_0000
    uid_count: int = 65_536

    def __post_init__(self) -> None:
        if self.uid_count and not LEAST_UID <= self.uid_base <= PAST_UIDS - self.uid_count:
            raise StartError(
                f"hypervisor.uid_base must be at least {LEAST_UID}, and with uid_count at most {PAST_UIDS}"
            )
        if not LEAST_CONSOLE <= self.console_log <= MOST_CONSOLE:
            raise StartError(f"hypervisor.console_log must be {LEAST_CONSOLE} to {MOST_CONSOLE} (KiB)")

    @property
    def uids(self) -> range:
        """The user ids for guests."""
        return range(self.uid_base, self.uid_base + self.uid_count)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Section [reserve]: what admission keeps for the host; `memory` in MiB, `cpu` in millicores."""

    memory: int = 1024
    cpu: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Section [limits]: what one user may take, over all listeners: `streams` that are open at a time and
    `requests` per second; and what one request may have: `write_bytes` if it is a Set, Edit, CopyConfig or
    Validate, else `request_bytes`, `operations` of a write, `paths` of a read, and `members`, which are
    members of objects, items of arrays and elements of XML. `connections` are those of one listener."""

    streams: int = 200
    requests: int = 2_000
    write_bytes: int = 8 * MIB
    request_bytes: int = MIB
    operations: int = 10_000
    paths: int = 10_000
    members: int = 100_000
    connections: int = 1_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 1:
                raise StartError(f"limits.{limit.name} must be at least 1: nobody could use the agent")


@dataclass(frozen=True, slots=True)
class History:
    """Section [history]: `commits` is how many numbered commits are kept, the newest at least: its record
    says what number comes next, and how to take it back."""

    commits: int = 10_000

    def __post_init__(self) -> None:
        if not 1 <= self.commits <= MOST_COMMITS:
            raise StartError(f"history.commits must be 1 to {MOST_COMMITS}")


@dataclass(frozen=True, slots=True)
class Copies:
    """Section [copies]: a copy of the database is written `hours` after the last one, if something was
    committed since; the newest `kept` stay."""

    hours: int = 24
    kept: int = 7

    def __post_init__(self) -> None:
        for setting in fields(self):
            if not 1 <= getattr(self, setting.name) <= MOST_COPIES:
                raise StartError(f"copies.{setting.name} must be 1 to {MOST_COPIES}")


class Level(Enum):
    """From which level on events are logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Log:
    """Section [log]."""

    level: Level = Level.INFO


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    agent: Agent = field(default_factory=Agent)
    listen: Listen = field(default_factory=Listen)
    gnmi: Gnmi = field(default_factory=Gnmi)
    hypervisor: Hypervisor = field(default_factory=Hypervisor)
    reserve: Reserve = field(default_factory=Reserve)
    limits: Limits = field(default_factory=Limits)
    history: History = field(default_factory=History)
    copies: Copies = field(default_factory=Copies)
    log: Log = field(default_factory=Log)


def load(file: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file (or the defaults), with the environment on top.

    Raises:
        StartError: the file cannot be read, is not TOML, or holds an unknown or ill-typed setting; so does a
            variable.
    """
    result = Settings()
    if file is not None:
        result = _settings(result, _read(file), file.resolve().parent, str(file))
    for section in fields(Settings):
        for setting in fields(get_type_hints(Settings)[section.name]):
            variable = f"TWINPLANE_{section.name}_{setting.name}".upper()
            if variable in environ:
                document = {section.name: {setting.name: environ[variable]}}
                result = _settings(result, document, Path.cwd(), variable)
    return result


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}; name a file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"{file} is not valid TOML: {error}") from error


def _settings(result: Settings, document: dict[str, Any], origin: Path, source: str) -> Settings:
    known = {section.name for section in fields(Settings)}
    for name, body in document.items():
        if name not in known or not isinstance(body, dict):
            raise StartError(f"{source}: unknown section [{name}]; known: {', '.join(sorted(known))}")
        section = getattr(result, name)
        result = replace(result, **{name: _section(section, name, body, origin, source)})
    return result


def _section(section: Any, name: str, body: dict[str, Any], origin: Path, source: str) -> Any:
    hints = get_type_hints(type(section))
    for key, value in body.items():
        if key not in hints:
            known = ", ".join(sorted(hints))
            raise StartError(f"{source}: unknown setting {name}.{key}; known in [{name}]: {known}")
        section = replace(section, **{key: _value(hints[key], value, f"{source}: {name}.{key}", origin)})
    return section


def _value(kind: Any, value: Any, where: str, origin: Path) -> Any:
    if kind in (Path, Path | None):
        _expect(isinstance(value, str) and value != "" and "\0" not in value, where, "a path", value)
        return (origin / value).resolve()
    if kind is bool:
        _expect(isinstance(value, bool) or value in ("true", "false"), where, "true or false", value)
        return value is True or value == "true"
    if kind is int:
        text = str(value)
        decimal = text.isdecimal() and len(text) <= len(str(MOST)) and int(text) <= MOST
        _expect(decimal and not isinstance(value, bool), where, f"a whole number, 0 to {MOST}", value)
        return int(text)
    if kind == tuple[str, ...]:
        items = value.split(",") if isinstance(value, str) else value
        texts = isinstance(items, list) and all(isinstance(item, str) and item.strip() for item in items)
        _expect(texts, where, "strings that are not empty", value)
        return tuple(item.strip() for item in items)
    if isinstance(kind, type) and issubclass(kind, Enum):
        names = ", ".join(member.value for member in kind)
        _expect(value in [member.value for member in kind], where, f"one of {names}", value)
        return kind(value)
    _expect(isinstance(value, str), where, "a string", value)
    return value


def _expect(holds: bool, where: str, wanted: str, value: Any) -> None:
    if not holds:
        raise StartError(f"{where} must be {wanted}, not {value!r}")
