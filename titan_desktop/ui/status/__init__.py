"""How Titan is: the core, the model, the files."""
