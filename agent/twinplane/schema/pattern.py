r"""XSD regular expressions (RFC 7950 section 9.4.5) → Python's.

Only what differs is translated: the anchors that are ordinary characters in XSD, and the few category escapes
in use. An expression with anything else is left to libyang, which judges every value again: None.
"""

import re

# Inside a character class Python knows no category; these stand for the ones that occur in practice.
_CATEGORY = {"L": r"^\W\d_", "N": r"\d"}
_INSIDE = {"N": r"\d"}
# The zone of an address (RFC 6991): letters and numbers together, which Python has but for the underscore.
_ALPHANUMERIC = re.compile(r"\[(?:\\p\{N\}\\p\{L\}|\\p\{L\}\\p\{N\})\]")


def translate(text: str) -> str | None:
    """The Python expression to use with `fullmatch`, or None where there is no faithful one."""
    out: list[str] = []
    position, depth = 0, 0
    while position < len(text):
        char = text[position]
        if not depth and (zone := _ALPHANUMERIC.match(text, position)):
            out.append(r"[^\W_]")
            position = zone.end()
            continue
        if char == "\\":
            escape = text[position + 1 : position + 2]
            if escape in ("p", "P"):
                end = text.find("}", position)
                name = text[position + 3 : end]
                known = _INSIDE.get(name) if depth else _CATEGORY.get(name)
                if known is None or escape == "P":
                    return None
                out.append(known if depth else f"[{known}]")
                position = end + 1
                continue
            if escape in ("i", "I", "c", "C"):
                return None
            out.append(text[position : position + 2])
            position += 2
            continue
        if char == "[":
            depth += 1
            if depth > 1:
                return None  # class subtraction
        elif char == "]" and depth:
            depth -= 1
        elif char in "^$" and not depth:
            char = "\\" + char
        elif char == "." and not depth:
            char = r"[^\n\r]"
        out.append(char)
        position += 1
    expression = "".join(out)
    try:
        re.compile(expression)
    except re.error:
        return None
    return expression
