"""The guarded door to the person's files: `RootVault` implements `ports.vault` on every system."""

from titan_desktop.adapters.vault.root_vault import RootVault

__all__ = ["RootVault"]
