"""The messages on the bus: frozen structs, one module for each subject; `message` sends them.

The window, the commands and the services communicate through these. Fields are added with a default, never
renamed. Commands are imperatives (`send_prompt`), events are facts (`assistant_message`), requests are named after
their reply (`history`).
"""
