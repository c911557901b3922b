"""Questions that are not known to be stored, so that nothing typed is lost while the core is away."""

from titan_desktop.contracts.chat import SendPrompt


class Outbox:
    """Prompts in the order they were written, until their `user_message` arrives.

    They may be published more than once: the chat service recognises a message by its id.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, SendPrompt] = {}

    def add(self, prompt: SendPrompt) -> None:
        """Keep a prompt until it is confirmed."""
        self._waiting[prompt.message_id] = prompt

    def confirm(self, message_id: str) -> bool:
        """Remove a prompt that is stored, or never will be. Returns whether it was waiting."""
        return self._waiting.pop(message_id, None) is not None

    def waiting(self, conversation_id: str = "") -> tuple[SendPrompt, ...]:
        """Return the waiting prompts of one conversation or of all, oldest first."""
        return tuple(
            prompt for prompt in self._waiting.values() if conversation_id in ("", prompt.conversation_id)
        )
