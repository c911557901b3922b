"""What the window says of files: how far the reading is, and which could not be read."""
