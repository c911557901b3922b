"""What every process needs of the operating system: paths, locks, private files, child processes, logs."""
