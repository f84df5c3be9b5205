"""PATH=VALUE, the form in which shells give a value to a node."""

from twinplane_wire.path import parse


def split_assignment(text: str) -> tuple[str, str]:
    """The path and the value of ``PATH=VALUE``; an equals sign inside a key is part of the path.

    Raises:
        ValueError: there is no value, or (PathSyntaxError) what is before it is no path.
    """
    depth = 0
    for position, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth == 0:
            path, value = text[:position], text[position + 1 :]
            parse(path)
            return path, value
    raise ValueError(f"{text!r} is not PATH=VALUE")
