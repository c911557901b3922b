"""What every view stands on: theme, tasks, the event loop, the bridge to the bus, the banner."""
