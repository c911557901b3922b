"""The base of every view: theme, tasks, the event loop, the bridge to the bus, the banner."""
