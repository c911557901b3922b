"""The sandbox on Windows: the rights that a running process can give up.

A job object that lets it start no program and touch neither clipboard nor desktop, and the integrity level
"low", at which it may write to none of the person's files and look into none of their processes (Microsoft,
"Job Objects", "Mandatory Integrity Control"). Reading the person's files and the network stay open: that takes
an AppContainer, whose process has to be born in it, and is named as missing. Written from the documentation;
not run by its author.
"""

import ctypes
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from titan_desktop.contracts.security import Mechanism

if sys.platform == "win32":
    from ctypes import wintypes

    _ACTIVE_PROCESSES, _DIE_ON_EXCEPTION = 0x8, 0x400  # JOB_OBJECT_LIMIT_*
    _EXTENDED_LIMITS, _UI_RESTRICTIONS = 9, 4  # JOBOBJECTINFOCLASS
    _ALL_OF_UI = 0xFF
    _TOKEN_QUERY, _TOKEN_ADJUST_DEFAULT = 0x8, 0x80
    _TOKEN_INTEGRITY_LEVEL = 25
    _SE_GROUP_INTEGRITY = 0x20
    _LOW = "S-1-16-4096"

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel32.GetCurrentProcess.restype = wintypes.HANDLE
    _kernel32.CreateJobObjectW.restype = wintypes.HANDLE
    _kernel32.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
    _kernel32.SetInformationJobObject.argtypes = (
        wintypes.HANDLE,
        ctypes.c_int,
        wintypes.LPVOID,
        wintypes.DWORD,
    )
    _kernel32.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    _advapi32.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, wintypes.PHANDLE)
    _advapi32.ConvertStringSidToSidW.argtypes = (wintypes.LPCWSTR, ctypes.POINTER(wintypes.LPVOID))
    _advapi32.GetLengthSid.argtypes = (wintypes.LPVOID,)
    _advapi32.SetTokenInformation.argtypes = (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class _MandatoryLabel(ctypes.Structure):
        _fields_ = (("Sid", wintypes.LPVOID), ("Attributes", wintypes.DWORD))

    class WindowsSandbox:
        """See `ports.sandbox.Sandbox`."""

        def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:  # noqa: ARG002 - see the module
            """See `Sandbox`."""
            return (
                _tried("job_object", _enter_a_job),
                _tried("low_integrity", _lower_integrity),
                Mechanism(name="app_container", in_force=False, detail="not used by this version"),
            )

    def _tried(name: str, close: Callable[[], None]) -> Mechanism:
        try:
            close()
        except OSError as error:
            return Mechanism(name=name, in_force=False, detail=str(error))
        return Mechanism(name=name, in_force=True)

    def _enter_a_job() -> None:
        """The handle is kept open by the process for as long as it lives."""
        job = _kernel32.CreateJobObjectW(None, None)
        _check(job)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _ACTIVE_PROCESSES | _DIE_ON_EXCEPTION
        limits.BasicLimitInformation.ActiveProcessLimit = 1
        size = ctypes.sizeof(limits)
        _check(_kernel32.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size))
        surface = wintypes.DWORD(_ALL_OF_UI)
        size = ctypes.sizeof(surface)
        _check(_kernel32.SetInformationJobObject(job, _UI_RESTRICTIONS, ctypes.byref(surface), size))
        _check(_kernel32.AssignProcessToJobObject(job, _kernel32.GetCurrentProcess()))

    def _lower_integrity() -> None:
        """A process may lower its own level, and never raise it again."""
        token, sid = wintypes.HANDLE(), wintypes.LPVOID()
        access = _TOKEN_QUERY | _TOKEN_ADJUST_DEFAULT
        _check(_advapi32.OpenProcessToken(_kernel32.GetCurrentProcess(), access, ctypes.byref(token)))
        _check(_advapi32.ConvertStringSidToSidW(_LOW, ctypes.byref(sid)))
        label = _MandatoryLabel(sid, _SE_GROUP_INTEGRITY)
        size = ctypes.sizeof(label) + _advapi32.GetLengthSid(sid)
        _check(_advapi32.SetTokenInformation(token, _TOKEN_INTEGRITY_LEVEL, ctypes.byref(label), size))

    def _check(result: int | None) -> None:
        if not result:
            raise ctypes.WinError(ctypes.get_last_error())
