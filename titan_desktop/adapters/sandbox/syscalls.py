"""The numbers of the system calls that the sandbox names, for x86-64 and aarch64 (asm/unistd.h, Linux 6.1).

`name:x86-64:aarch64`, with - where an architecture never had the call.
"""

from dataclasses import dataclass

_FREE = (
    "read:0:63 readv:19:65 write:1:64 writev:20:66 pread64:17:67 close:3:57 lseek:8:62 dup:32:23 "
    "fstat:5:80 newfstatat:262:79 stat:4:- lstat:6:- statx:332:291 access:21:- faccessat:269:48 "
    "faccessat2:439:439 readlink:89:- readlinkat:267:78 getcwd:79:17 getdents64:217:61 "
    "munmap:11:215 mremap:25:216 mprotect:10:226 madvise:28:233 brk:12:214 membarrier:324:283 "
    "mincore:27:232 futex:202:98 futex_waitv:449:449 set_robust_list:273:99 get_robust_list:274:100 "
    "rseq:334:293 set_tid_address:218:96 arch_prctl:158:- sched_yield:24:124 "
    "sched_getaffinity:204:123 exit:60:93 exit_group:231:94 rt_sigaction:13:134 rt_sigprocmask:14:135 "
    "rt_sigreturn:15:139 sigaltstack:131:132 restart_syscall:219:128 clock_gettime:228:113 "
    "clock_getres:229:114 clock_nanosleep:230:115 nanosleep:35:101 gettimeofday:96:169 time:201:- "
    "getrandom:318:278 uname:63:160 sysinfo:99:179 getrusage:98:165 getrlimit:97:163 times:100:153 "
    "getpid:39:172 gettid:186:178 getppid:110:173 getuid:102:174 geteuid:107:175 getgid:104:176 "
    "getegid:108:177 poll:7:- ppoll:271:73 select:23:- pselect6:270:72 epoll_create1:291:20 "
    "epoll_ctl:233:21 epoll_wait:232:- epoll_pwait:281:22 epoll_pwait2:441:441 eventfd2:290:19 "
    "pipe2:293:59 recvmsg:47:212 recvfrom:45:207 "
)
_CONDITIONAL = (
    "clone:56:220 mmap:9:222 open:2:- openat:257:56 kill:62:129 tgkill:234:131 prctl:157:167 fcntl:72:25 "
    "socketpair:53:199 prlimit64:302:261 setpriority:141:140 "
)
_ANSWERED = "clone3:435:435 openat2:437:437 mkdir:83:- mkdirat:258:34 "
_OWN = "seccomp:317:277 "


def _names(table: str) -> tuple[str, ...]:
    return tuple(entry.partition(":")[0] for entry in table.split())


FREE = _names(_FREE)
"""Allowed whatever their arguments: memory, clocks, threads, descriptors that are open, names of files."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One architecture. `audit` is its AUDIT_ARCH_* (linux/audit.h), by which a filter knows it."""

    audit: int
    numbers: dict[str, int]


def _numbers(column: int) -> dict[str, int]:
    entries = (entry.split(":") for entry in (_FREE + _CONDITIONAL + _ANSWERED + _OWN).split())
    return {entry[0]: int(entry[column]) for entry in entries if entry[column] != "-"}


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, _numbers(1)),
    "aarch64": Architecture(0xC00000B7, _numbers(2)),
}
"""By `platform.machine()`."""
