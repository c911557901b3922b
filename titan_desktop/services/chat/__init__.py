"""Conversations and answers.

`service` declares the handlers; `commands` implements the commands; `answering` makes one attempt at an answer,
`delta_publisher` publishes and saves it while it grows; `prompt` and `followup_query` build the prompt and the
search query; `attempts` has the running attempts; `storing` waits for the store; `requests` answers requests about
the history; `model` resolves the configured model.
"""

from titan_desktop.services.chat.service import ChatService

__all__ = ["ChatService"]
