"""The file on the disk: what is none is refused, what is replaced is replaced whole, by one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from pillarbox import (
    Company,
    SettingsError,
    TomlDirectory,
    User,
)
from pillarbox._locks import file_lock
from tests import access, systems
from tests.core.doubles import DEPLOYER, GOOD, opened


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "There is no settings file"),
        (lambda path: access.give(path, 0o606), "can be written by others"),
        pytest.param(
            lambda path: (path.chmod(0o660), os.chown(path, -1, 12345)),
            "can be written by others",
            marks=systems.root,
        ),
        pytest.param(
            lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
            "not a regular file",
            marks=systems.posix_files,
        ),
        pytest.param(
            lambda path: (path.unlink(), path.symlink_to(path)), "can't be read", marks=systems.links
        ),
        pytest.param(
            lambda path: (path.unlink(), path.symlink_to("nowhere")),
            "There is no settings file",
            marks=systems.links,
        ),
        (lambda path: path.write_bytes(b"# caf\xe9\n"), "is not UTF-8"),
        (lambda path: (path.unlink(), path.mkdir()), "not a regular file|can't be read"),
        pytest.param(
            lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
            "not a regular file",
            marks=systems.posix_files,
        ),
        (lambda path: os.truncate(path, 65 * 1024 * 1024), "larger than 64 MiB"),
    ],
    ids=["missing", "writable", "group", "device", "loop", "dangling", "latin-1", "folder", "fifo", "huge"],
)
def test_a_file_that_is_none_is_refused(path, spoil, said):
    """At once, without blocking and without reading what is too large (rule 40)."""
    spoil(path)
    with pytest.raises(SettingsError, match=said):
        opened(path).look_up(None)


def test_the_files_mode_is_kept(path):
    """A file that others may read stays so."""
    access.give(path, 0o604)
    directory = opened(path)
    directory.save(User(id="new"), version="", by=DEPLOYER)
    assert access.mode(path) == 0o604


@systems.links
def test_a_link_stays_a_link(path, tmp_path):
    """The file behind it is replaced."""
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    opened(link).save(User(id="new"), version="", by=DEPLOYER)
    assert link.is_symlink()
    assert "[users.new]" in path.read_text()


def test_killed_in_the_middle_of_a_change_the_file_is_whole(path):
    """Old or new, never half: at every one of the calls that write."""
    code = textwrap.dedent("""
        import os, sys, attrs
        from pillarbox import Actor, Role, TomlDirectory, User
        calls, limit = 0, int(sys.argv[2])
        def spy(event, arguments):
            global calls
            if event in {"open", "os.rename", "os.chmod"} and sys.argv[1] in " ".join(map(str, arguments[:2])):
                calls += 1
                if calls == limit:
                    os._exit(9)
        sys.addaudithook(spy)
        TomlDirectory(sys.argv[1] + "/pillarbox.toml").save(User(id="new" + sys.argv[2]), version="", by=Actor("x", Role.DEPLOYER))
    """)
    path.write_text("[company]\nname = 'Acme'\n")
    ends = []
    for limit in range(1, 12):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path.parent), str(limit)], capture_output=True, timeout=60
        )
        ends.append(done.returncode)
        assert TomlDirectory(path).look_up(None)[0].name == "Acme"
        if done.returncode == 0:
            break
    assert ends[-1] == 0, "the change was never finished"
    assert ends.count(9) >= 3
    assert TomlDirectory(path).look_up(f"new{len(ends)}")[1]


@systems.links
def test_two_names_of_one_file_are_one_lock(path, tmp_path):
    """A link and the file itself: two processes that are led to it differently still wait for each other."""
    link = tmp_path / "elsewhere" / "pillarbox.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    with file_lock(path.with_name(".pillarbox.toml.lock")):
        child = subprocess.run(
            [sys.executable, "-c", LINKED, str(link)], capture_output=True, text=True, timeout=60
        )
    assert child.stdout == "SettingsError is being changed by another process\n", child.stderr


LINKED = textwrap.dedent("""
    import sys
    from pillarbox import Actor, Role, SettingsError, TomlDirectory, User, _locks
    defaults = _locks.file_lock.__wrapped__.__kwdefaults__
    defaults["timeout"] = 0.1
    try:
        TomlDirectory(sys.argv[1]).save(User(id="new"), version="", by=Actor("x", Role.DEPLOYER))
    except SettingsError as error:
        print(type(error).__name__, "is being changed by another process" if "being changed" in str(error) else error)
""")


@systems.root
def test_root_does_not_take_the_file_from_its_owner(path):
    """`sudo pillarbox user set` leaves it readable for the program that reads it."""
    os.chown(path, 12345, 12346)
    opened(path).save(User(id="new"), version="", by=DEPLOYER)
    for name in ("pillarbox.toml", ".pillarbox.toml.lock", "pillarbox.history.jsonl"):
        found = path.with_name(name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 12346, 0o600), name


@pytest.mark.parametrize("act", ["save", "create"])
def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path, act):
    """The place and the reason, exit 78."""
    missing = tmp_path / "missing" / "pillarbox.toml"
    acts = {
        "create": lambda: TomlDirectory.create(missing, Company()),
        "save": lambda: opened(missing).save(User(id="new"), version="", by=DEPLOYER),
    }
    with pytest.raises(SettingsError, match="can't be written: no such file or directory"):
        acts[act]()


@systems.changes
def test_a_change_that_leaves_size_and_time_alone_is_seen(path):
    """Rsync --times --inplace, a clock that ticks coarsely: the time of the last change of status tells."""
    directory = opened(path)
    assert directory.look_up("anna")[1].name == "Anna Berg"
    before = path.stat()
    with path.open("r+") as file:
        file.write(GOOD.replace("Anna Berg", "Anna Lind"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert directory.look_up("anna")[1].name == "Anna Lind"
