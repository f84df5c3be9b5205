"""Where a day-0 file may stand on its medium."""

RESERVED = "meta-data"
# What the guest's data source reads as files (cloud-init, NoCloud), whether or not they are given.
READ_AS_FILES = frozenset({RESERVED, "user-data", "vendor-data", "network-config"})
LONGEST_NAME = 64  # Joliet: 64 UCS-2 characters a name
DEEPEST = 7  # ISO 9660: eight levels, the root among them


def target_flaw(target: str, targets: frozenset[str]) -> str | None:
    """What is wrong with a path on the medium among all `targets` of it; None where nothing is.

    The medium is ISO 9660 with Joliet and Rock Ridge (ECMA-119, Joliet specification, SUSP/RRIP).
    """
    names = target.split("/")
    if target.startswith("/") or not all(names) or "." in names or ".." in names:
        return "a relative path without empty, '.' or '..' parts"
    if any(ord(character) < 32 or character in '*:;?\\"' for character in target):
        return 'no control characters and none of * : ; ? \\ "'
    if target == RESERVED:
        return f"{RESERVED} is made by the agent"
    if any(len(name.encode("utf-16-be")) > 2 * LONGEST_NAME for name in names):
        return f"at most {LONGEST_NAME} characters between slashes"
    if len(names) > DEEPEST:
        return f"at most {DEEPEST - 1} directories deep"
    above = {"/".join(names[:depth]) for depth in range(1, len(names))}
    if taken := sorted(above & (targets | READ_AS_FILES)):
        return f"{taken[0]} is a file and cannot be a directory too; use another name for the directory"
    return None
