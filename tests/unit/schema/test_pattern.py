"""XSD expressions in Python."""

import re

import pytest

from twinplane.schema.pattern import translate


@pytest.mark.parametrize(
    ("expression", "good", "bad"),
    [
        ("a$b^c", "a$b^c", "ab"),
        ("[^$]+", "ab", "a$"),
        (r"\d{2}(:[0-9a-f]{2}){2}", "12:ab:cd", "1:ab:cd"),
        (".*", "ab", "a\nb"),
        (r"(%[\p{N}]+)?", "%12", "%x"),
        (r"(%[\p{N}\p{L}]+)?", "%eth0", "%eth_0"),
        (r"\p{L}+", "abcü", "a1"),
        ("a|b", "b", "ab"),
    ],
)
def test_translations(expression: str, good: str, bad: str) -> None:
    translated = translate(expression)
    assert translated is not None
    assert re.fullmatch(translated, good)
    assert not re.fullmatch(translated, bad)


@pytest.mark.parametrize("expression", [r"\i\c*", r"[\p{L}]+", r"\P{L}", "[a-z-[aeiou]]", r"\p{IsGreek}"])
def test_what_python_cannot_say_is_left_to_libyang(expression: str) -> None:
    assert translate(expression) is None
