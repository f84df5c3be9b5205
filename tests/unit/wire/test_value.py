from decimal import Decimal

import pytest

from twinplane_wire import value
from twinplane_wire.gnmi.gnmi_pb2 import Decimal64, ScalarArray, TypedValue


@pytest.mark.parametrize(
    ("item", "unsigned", "typed"),
    [
        (True, False, TypedValue(bool_val=True)),
        (0, False, TypedValue(int_val=0)),
        (-5, False, TypedValue(int_val=-5)),
        (5, True, TypedValue(uint_val=5)),
        (2**64 - 1, True, TypedValue(uint_val=2**64 - 1)),
        ("", False, TypedValue(string_val="")),
        (b"\x00", False, TypedValue(bytes_val=b"\x00")),
        (1.5, False, TypedValue(double_val=1.5)),
    ],
)
def test_scalars_round_trip_through_their_own_field(
    item: value.Scalar, unsigned: bool, typed: TypedValue
) -> None:
    made = value.scalar(item, unsigned=unsigned)
    assert made == typed
    assert made.WhichOneof("value") == typed.WhichOneof("value")
    back = value.python(made)
    assert back == item
    assert type(back) is type(item)


def test_other_forms_are_understood() -> None:
    assert value.scalar(Decimal("0.25")) == TypedValue(double_val=0.25)
    assert value.python(TypedValue(decimal_val=Decimal64(digits=-125, precision=2))) == Decimal("-1.25")
    assert value.python(TypedValue(float_val=0.5)) == 0.5
    assert value.python(TypedValue(json_ietf_val=b'{"a":["18446744073709551615",1]}')) == {
        "a": ["18446744073709551615", 1]
    }
    assert value.python(TypedValue(json_val=b"18446744073709551615")) == 2**64 - 1
    listed = value.leaf_list([value.scalar("a"), value.scalar("b")])
    assert value.python(listed) == ("a", "b")
    assert value.python(TypedValue(leaflist_val=ScalarArray())) == ()


@pytest.mark.parametrize(
    "typed",
    [
        TypedValue(),
        TypedValue(json_val=b""),
        TypedValue(json_val=b"{"),
        TypedValue(json_val=b"NaN"),
        TypedValue(json_val=b"\xff"),
        TypedValue(json_val=b"[" * 100_000),
    ],
)
def test_what_is_no_value_is_refused(typed: TypedValue) -> None:
    with pytest.raises(value.ValueFormError):
        value.python(typed)


def test_a_decimal_with_more_digits_than_yang_has() -> None:
    for precision in (19, 2**32 - 1):
        with pytest.raises(value.ValueFormError, match="precision"):
            value.python(TypedValue(decimal_val=Decimal64(digits=1, precision=precision)))
