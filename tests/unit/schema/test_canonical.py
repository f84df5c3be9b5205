"""One spelling for what has several."""

import pytest

from twinplane.schema.scalar import codec_of
from twinplane.schema.table import SchemaTable

IP = ("samples", "sample", "addresses", "address", "ip")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8:0000::0001", "2001:db8::1"),
        ("::FFFF:192.0.2.1", "::ffff:192.0.2.1"),
        ("FE80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_has_one_form(fixture: SchemaTable, written: str, canonical: str) -> None:
    node = fixture.find(IP)
    assert node is not None
    form = codec_of(node)
    assert form.parse_text(written) == form.parse_json(written) == form.parse_proto(written) == canonical
    assert form.parse_text(canonical) == canonical
    assert form.owns(canonical)


@pytest.mark.parametrize("text", ["", "1.2.3", "52:54:00:ab:cd:ef", "1::2::3", "::1%", "2001:db8::g"])
def test_what_is_no_address_is_refused(fixture: SchemaTable, text: str) -> None:
    node = fixture.find(IP)
    assert node is not None
    with pytest.raises(ValueError, match="fits no member"):
        codec_of(node).parse_text(text)
