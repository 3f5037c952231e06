"""What is installed: found in a zip as well, and held to the pillarbox that it is made for."""

from __future__ import annotations

import zipfile

import pytest

from pillarbox._entry_points import fits

from .test_plugins import GOOD, TELL, run, site


@pytest.mark.parametrize(
    ("version", "wanted", "is_fit"),
    [
        ("0.1.0", ">=0.1,<0.2", True),
        ("0.1.7", "<0.2,>=0.1", True),
        ("0.2.0", ">=0.1,<0.2", False),
        ("0.2.0rc1", ">=0.1,<0.2", False),
        ("0.10", ">=0.9,<0.11", True),
        ("1.4.2", ">=1,<2", True),
        ("0.0.9", ">=0.1", False),
        ("0.1.0", "", True),
        ("0.1.0", "~=0.1", True),  # pip's to judge
    ],
)
def test_a_version_is_held_to_the_bounds(version, wanted, is_fit):
    """Of the compatibility policy."""
    assert fits(version, wanted) is is_fit


def test_a_method_in_a_zip_is_found(tmp_path):
    """A wheel on the path, a zipapp: metadata and module lie in one file."""
    folder = tmp_path / "site"
    folder.mkdir()
    site(folder, goodmail={"module": GOOD, "points": "[pillarbox.transports]\ngood = goodmail:T\n"})
    packed = tmp_path / "goodmail-1.0-py3-none-any.whl"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    assert "good | Good mail | goodmail | \n" in run(packed, TELL).stdout
