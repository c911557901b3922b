"""The commands: `titan ask`, `search`, `index`, `doctor`. Clients of the core, like the window, but without Qt.

`arguments` and `exit_codes` import nothing but the standard library's light parts, so that `titan --help`
answers at once; each other module is imported when its command runs.
"""
