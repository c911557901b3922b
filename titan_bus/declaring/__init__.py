"""Handlers declared before there is a bus: declaration, binding to types, upcasting, documentation."""
