"""Conversations and answers.

`service` declares the handlers; `commands` decides what a command does; `answering` makes one attempt at an
answer, `delta_publisher` says and saves it while it grows; `prompt` and `followup_query` put together what the
model and the search are asked; `attempts` knows what is in work; `storing` waits for the store;
`requests` answers questions about the past; `model` says which model is configured.
"""

from titan_desktop.services.chat.service import ChatService

__all__ = ["ChatService"]
