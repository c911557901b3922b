"""What crosses the bus: frozen structs, one module a subject; `message` sends them.

The window, the commands and the services all speak through these. A struct here is a promise: fields are added
with a default, never renamed. Commands are imperatives (`send_prompt`), events are past or present facts
(`assistant_message`), requests name what they answer with (`history`).
"""
