"""The watcher and the scanner: what is new in the allowed folders, said on `fs.v1`."""
