"""The status of Titan: the core, the model, the files."""
