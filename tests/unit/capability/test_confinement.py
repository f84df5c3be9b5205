"""Whether the kernel has AppArmor is said; guests are not confined by it."""

import pytest

from twinplane.capability.confinement import probe_apparmor


@pytest.mark.parametrize(
    ("text", "reason"), [("Y\n", "this kernel has it, "), ("N\n", "this kernel does not")]
)
def test_what_the_kernel_has_is_said(tmp_path, text, reason):
    file = tmp_path / "enabled"
    file.write_text(text)
    found = probe_apparmor(file)
    assert not found.available
    assert found.reason.startswith(reason)


def test_a_kernel_without_it_is_said(tmp_path):
    assert probe_apparmor(tmp_path / "none").reason.startswith("this kernel does not")
