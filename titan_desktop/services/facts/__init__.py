"""Facts: what a person said to remember, and what was proposed to them. Nothing stands here yet."""
