"""Access to the operating system for every process: paths, locks, private files, child processes, logs."""
