"""Confinement of the processes that take foreign text: `SystemSandbox` implements `ports.sandbox` on each system.

Called by the workers for extraction and embedding, so nothing heavier than ctypes may stand here.
"""

import sys

if sys.platform == "linux":
    from titan_desktop.adapters.sandbox.linux import LinuxSandbox as SystemSandbox
elif sys.platform == "darwin":
    from titan_desktop.adapters.sandbox.macos import MacSandbox as SystemSandbox
elif sys.platform == "win32":
    from titan_desktop.adapters.sandbox.windows import WindowsSandbox as SystemSandbox
else:
    from titan_desktop.adapters.sandbox.posix import PosixSandbox as SystemSandbox

__all__ = ["SystemSandbox"]
