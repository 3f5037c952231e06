"""Who may do what with a file under Windows: access lists, set by the call that makes the file, and read back.

SYSTEM and Administrators stand in every list beside the owner, and are no "others": as root elsewhere they can take any
file for themselves, and backups and scanners run as them. OpenSSH for Windows draws the same line.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import msvcrt
import os
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_void_p, c_wchar_p, wintypes

assert sys.platform == "win32"

File = int | str | os.PathLike[str]
"""A descriptor, or a path."""
_SYSTEM, _ADMINISTRATORS, _OWNER_RIGHTS, _EVERYONE = "S-1-5-18", "S-1-5-32-544", "S-1-3-4", "S-1-1-0"
_READ = 0x1 | 0x10000000 | 0x80000000
"""FILE_READ_DATA, GENERIC_ALL, GENERIC_READ (winnt.h)."""
_WRITE = 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""FILE_WRITE_DATA, FILE_APPEND_DATA, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL, GENERIC_WRITE."""
_READ_WRITE_AND_LIST = 0x80000000 | 0x40000000 | 0x40000
_SHARED_READ_WRITE = 0x1 | 0x2
_CREATE_NEW, _OPEN_ALWAYS = 1, 4
_NO_LINK = 0x00200000  # FILE_FLAG_OPEN_REPARSE_POINT: a link is opened itself, or is in the way
_OWNER, _LIST = 0x1, 0x4
_FILE = 1  # SE_FILE_OBJECT
_DENYING = frozenset({1, 6, 10, 12})
_INHERIT_ONLY = 0x8


class _Attributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (("size", wintypes.DWORD), ("descriptor", c_void_p), ("inherit", wintypes.BOOL))


class _List(ctypes.Structure):
    """ACL."""

    _fields_ = (
        ("revision", wintypes.BYTE),
        ("padding", wintypes.BYTE),
        ("size", wintypes.WORD),
        ("count", wintypes.WORD),
        ("more_padding", wintypes.WORD),
    )


class _Entry(ctypes.Structure):
    """ACCESS_ALLOWED_ACE: all that let in begin like it."""

    _fields_ = (
        ("kind", ctypes.c_ubyte),
        ("flags", ctypes.c_ubyte),
        ("size", wintypes.WORD),
        ("rights", wintypes.DWORD),
        ("who", wintypes.DWORD),
    )


_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.GetCurrentProcess.restype = wintypes.HANDLE
_kernel.LocalFree.argtypes = [c_void_p]
_kernel.CloseHandle.argtypes = [wintypes.HANDLE]
_kernel.CreateFileW.restype = wintypes.HANDLE
_kernel.CreateFileW.argtypes = [
    c_wchar_p, wintypes.DWORD, wintypes.DWORD, POINTER(_Attributes), wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE,
]  # fmt: skip
_advapi.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, POINTER(wintypes.HANDLE)]
_advapi.GetTokenInformation.argtypes = [
    wintypes.HANDLE, ctypes.c_int, c_void_p, wintypes.DWORD, POINTER(wintypes.DWORD),
]  # fmt: skip
_advapi.ConvertSidToStringSidW.argtypes = [c_void_p, POINTER(c_void_p)]
_advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
    c_wchar_p, wintypes.DWORD, POINTER(c_void_p), c_void_p,
]  # fmt: skip
_advapi.GetAce.argtypes = [c_void_p, wintypes.DWORD, POINTER(c_void_p)]
_RESULTS = (POINTER(c_void_p), c_void_p, POINTER(c_void_p), c_void_p, POINTER(c_void_p))
_advapi.GetSecurityInfo.argtypes = [wintypes.HANDLE, ctypes.c_int, wintypes.DWORD, *_RESULTS]
_advapi.GetNamedSecurityInfoW.argtypes = [c_wchar_p, ctypes.c_int, wintypes.DWORD, *_RESULTS]
_advapi.SetKernelObjectSecurity.argtypes = [wintypes.HANDLE, wintypes.DWORD, c_void_p]
_advapi.SetFileSecurityW.argtypes = [c_wchar_p, wintypes.DWORD, c_void_p]


def create(path: str | os.PathLike[str], *, new: bool) -> int:
    """Return a descriptor that writes to the file at *path*, made owner-only where it is missing.

    Args:
        path: A link there is not followed; where it need not be *new*, the link itself is opened.
        new: It must not be there yet.

    Raises:
        OSError: In the words that `os.open` has for it.
        ValueError: Its name holds a NUL, behind which Windows would not read on.
    """
    name = os.fspath(path)
    if "\0" in name:
        raise ValueError("embedded null character")
    with _descriptor(_list_for(user())) as descriptor:
        handle = _kernel.CreateFileW(
            name,
            _READ_WRITE_AND_LIST,
            _SHARED_READ_WRITE,
            byref(_Attributes(ctypes.sizeof(_Attributes), descriptor, False)),
            _CREATE_NEW if new else _OPEN_ALWAYS,
            _NO_LINK,
            None,
        )
        problem = ctypes.get_last_error()
    if handle == wintypes.HANDLE(-1).value:
        raise _in_words(problem, name)
    return msvcrt.open_osfhandle(handle, os.O_RDWR | os.O_BINARY | os.O_NOINHERIT)


def is_strangers(file: File) -> bool:
    """Tell whether *file* belongs to somebody else: its owner can always change who has access."""
    return _owner(file) not in _ours()


def is_open_to_others(file: File) -> bool:
    """Tell whether anybody but us may read or write *file*."""
    return bool(_others(file, _READ | _WRITE))


def is_writable_by_others(file: File) -> bool:
    """Tell whether anybody but us may write *file*."""
    return bool(_others(file, _WRITE))


def cure(path: str | os.PathLike[str], mode: str) -> str:  # noqa: ARG001  (elsewhere it is the mode to set)
    """Return the command that leaves *path* to us alone: it drops what the folder gives, and whom the list names."""
    strangers: set[str] = set()
    with contextlib.suppress(OSError):  # it may be gone by now
        strangers = _others(path, _READ | _WRITE)
    removed = f" /remove:g {' '.join(f'*{who}' for who in sorted(strangers))}" if strangers else ""
    return f'Run: icacls "{os.fspath(path)}" /inheritance:r /grant:r *{user()}:F{removed}'


def hand_to_owner_of(source: os.PathLike[str], target: int) -> None:
    """Let the owner of *source* use *target* too, which an administrator made beside it."""
    _keep(target, user(), _owner(source))


def copy_access(source: os.PathLike[str], target: int) -> None:
    """Give *target* the access list of *source*."""
    with _security(source) as (_, _list, descriptor):
        _set(target, descriptor)


def close_to_others(path: os.PathLike[str]) -> None:
    """Keep others from *path*, which a library made by what its folder's list says."""
    _keep(path, user())


def file_system(path: os.PathLike[str]) -> str:
    """Return "smb3" where *path* lies on another machine, behind its name or a letter that stands for it; else ""."""
    drive = os.path.splitdrive(os.path.realpath(path))[0]
    is_remote = (
        drive.startswith("\\\\") or _kernel.GetDriveTypeW(c_wchar_p(drive + "\\")) == 4
    )  # DRIVE_REMOTE
    return "smb3" if is_remote else ""


def _others(file: File, rights: int) -> set[str]:
    """Return the security identifiers of whom *file* gives one of *rights*, beside us."""
    with _security(file) as (_, access, _descriptor):
        return _let_in(access, rights) - _ours()


def _let_in(access: c_void_p, rights: int) -> set[str]:
    """Return whom the list *access* gives one of *rights*.

    What it denies is left out of account: a file that needs such an entry is not one that is ours alone.
    """
    return {who for who, allowed in _entries(access) if allowed & rights}


def _owner(file: File) -> str:
    with _security(file) as (who, _, _descriptor):
        return _text(who)


def _keep(file: File, *users: str) -> None:
    """Let nobody use *file* but *users*."""
    with _descriptor(_list_for(*users)) as descriptor:
        _set(file, descriptor)


@functools.cache
def user() -> str:
    """Return the security identifier of the user that this process runs as."""
    token, size = wintypes.HANDLE(), wintypes.DWORD()
    if not _advapi.OpenProcessToken(_kernel.GetCurrentProcess(), 0x8, byref(token)):  # TOKEN_QUERY
        raise _in_words(ctypes.get_last_error())
    try:
        found = ctypes.create_string_buffer(256)  # TOKEN_USER, and an identifier of at most 68 octets
        if not _advapi.GetTokenInformation(token, 1, found, len(found), byref(size)):
            raise _in_words(ctypes.get_last_error())
    finally:
        _kernel.CloseHandle(token)
    return _text(c_void_p.from_buffer(found))


def _ours() -> set[str]:
    return {user(), _SYSTEM, _ADMINISTRATORS, _OWNER_RIGHTS}


def _list_for(*users: str) -> str:
    """Return the access list of *users*, in the security descriptor definition language: P is cut off from the folder's."""
    return "D:P" + "".join(f"(A;;FA;;;{who})" for who in dict.fromkeys((*users, _SYSTEM, _ADMINISTRATORS)))


@contextlib.contextmanager
def _descriptor(text: str) -> Iterator[c_void_p]:
    found = c_void_p()
    if not _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(text, 1, byref(found), None):
        raise _in_words(ctypes.get_last_error())
    try:
        yield found
    finally:
        _kernel.LocalFree(found)


@contextlib.contextmanager
def _security(file: File) -> Iterator[tuple[c_void_p, c_void_p, c_void_p]]:
    """Give the owner and the access list of *file*, and the descriptor that they lie in."""
    who, access, descriptor = c_void_p(), c_void_p(), c_void_p()
    results = byref(who), None, byref(access), None, byref(descriptor)
    if isinstance(file, int):
        code = _advapi.GetSecurityInfo(msvcrt.get_osfhandle(file), _FILE, _OWNER | _LIST, *results)
    else:
        code = _advapi.GetNamedSecurityInfoW(os.fspath(file), _FILE, _OWNER | _LIST, *results)
    if code:
        raise _in_words(code, file)
    try:
        yield who, access, descriptor
    finally:
        _kernel.LocalFree(descriptor)


def _set(file: File, descriptor: c_void_p) -> None:
    """Put the list of *descriptor* in the place of that of *file*, as it is.

    SetSecurityInfo would do more, and Wine's mixes in what the folder's list says whatever it is told.
    """
    if isinstance(file, int):
        done = _advapi.SetKernelObjectSecurity(msvcrt.get_osfhandle(file), _LIST, descriptor)
    else:
        done = _advapi.SetFileSecurityW(os.fspath(file), _LIST, descriptor)
    if not done:
        raise _in_words(ctypes.get_last_error(), file)


def _entries(access: c_void_p) -> Iterator[tuple[str, int]]:
    """Yield who is let in, and to what."""
    if not access:  # no list keeps nobody out; a list without entries keeps all out
        yield _EVERYONE, _READ | _WRITE
        return
    for number in range(ctypes.cast(access, POINTER(_List)).contents.count):
        place = c_void_p()
        _advapi.GetAce(access, number, byref(place))
        entry = ctypes.cast(place, POINTER(_Entry)).contents
        if entry.kind not in _DENYING and not entry.flags & _INHERIT_ONLY:
            yield _text(c_void_p((place.value or 0) + _Entry.who.offset)), entry.rights


def _text(who: c_void_p) -> str:
    found = c_void_p()
    if not _advapi.ConvertSidToStringSidW(who, byref(found)):
        return "nobody that is known"
    try:
        return ctypes.wstring_at(found.value or 0)
    finally:
        _kernel.LocalFree(found)


def _in_words(code: int, file: File = "") -> OSError:
    path = None if isinstance(file, int) else os.fspath(file)
    found = OSError(None, "", path, code).errno or 0  # the errno that Python has for it
    return OSError(found, os.strerror(found), path)
