"""Owner-only files: nobody else has access from the first moment, and who has is told by the system's own word."""

from __future__ import annotations

import os
import threading

import pytest

from pillarbox import _owner_only as owner_only
from tests import access


@pytest.mark.parametrize("make", [owner_only.create, owner_only.open_or_create])
def test_a_new_file_is_its_owners_alone(tmp_path, make):
    """Whatever the folder, or the process's mask, gives to others."""
    path, before = tmp_path / "new", None
    before = os.umask(0)
    try:
        os.close(make(path))
    finally:
        os.umask(before)
    assert access.mode(path) == 0o600
    assert not owner_only.is_open_to_others(path)


def test_an_ordinary_file_is_not(tmp_path):
    """So that the test above can fail: here new files are others' too."""
    before = os.umask(0)
    try:
        (tmp_path / "ordinary").write_text("x", "utf-8")
    finally:
        os.umask(before)
    assert access.mode(tmp_path / "ordinary") & 0o004
    assert owner_only.is_open_to_others(tmp_path / "ordinary")


@pytest.mark.parametrize(
    ("mode", "is_open", "is_writable"),
    [
        (0o600, False, False),
        (0o604, True, False),
        (0o602, True, True),
        (0o640, True, False),
        (0o666, True, True),
    ],
)
def test_others_are_told_by_path_and_by_descriptor(tmp_path, mode, is_open, is_writable):
    """To read and to write are two things."""
    path = tmp_path / "x"
    path.write_text("x", "utf-8")
    access.give(path, mode)
    with path.open("rb") as file:
        for one in (path, file.fileno()):
            assert owner_only.is_open_to_others(one) is is_open
            assert owner_only.is_writable_by_others(one) is is_writable
            assert owner_only.is_strangers(one) is False


def test_what_is_there_is_left_alone(tmp_path):
    """And stays with those who had it."""
    path = tmp_path / "x"
    path.write_text("x", "utf-8")
    access.give(path, 0o604)
    with pytest.raises(FileExistsError, match="File exists"):
        owner_only.create(path)
    os.close(owner_only.open_or_create(path))
    assert (path.read_text("utf-8"), access.mode(path)) == ("x", 0o604)


def test_a_missing_folder_is_told_in_the_usual_words(tmp_path):
    """Not in those of Windows, that are in the user's language."""
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        owner_only.create(tmp_path / "not" / "there")


def test_a_name_is_taken_whole(tmp_path):
    """Nothing is made at the part of it before a NUL."""
    with pytest.raises(ValueError, match="null"):
        owner_only.create(f"{tmp_path / 'x'}\0.key")
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_what_was_given(tmp_path):
    """No line end is changed, and Ctrl-Z is a character as others."""
    with os.fdopen(owner_only.create(tmp_path / "x"), "wb") as file:
        file.write(b"a\n\x1a\r\nb")
    descriptor = os.open(tmp_path / "x", os.O_RDONLY | owner_only.BINARY)
    assert os.read(descriptor, 99) == b"a\n\x1a\r\nb"
    os.close(descriptor)


@pytest.mark.parametrize("mode", [0o600, 0o604])
def test_access_is_copied(tmp_path, mode):
    """Those who may use a file may use the one that takes its place."""
    old = tmp_path / "old"
    old.write_text("x", "utf-8")
    access.give(old, mode)
    descriptor = owner_only.create(tmp_path / "new")
    owner_only.copy_access(old, descriptor)
    os.close(descriptor)
    assert access.mode(tmp_path / "new") == mode


def test_a_disk_that_knows_no_owners_gets_no_file(tmp_path, monkeypatch):
    """As FAT does: all files there are everybody's."""

    def create_on_fat(path, *, new):
        path.write_text("", "utf-8")
        access.give(path, 0o666)
        return os.open(path, os.O_RDWR)

    monkeypatch.setattr(owner_only, "_create", create_on_fat)
    with pytest.raises(PermissionError, match="the disk can't keep other users from it"):
        owner_only.create(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_that_passes_is_waited_for(tmp_path):
    """Under Windows: a reader keeps a file from being replaced while it reads."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old", "utf-8")
    new.write_text("new", "utf-8")
    reader = old.open("rb")
    leaving = threading.Timer(0.2, reader.close)
    leaving.start()
    owner_only.patiently(lambda: new.replace(old))
    leaving.join()
    assert old.read_text("utf-8") == "new"
