"""The conversation in the middle of the window: messages, sources and the composer.

The shell puts a `chat_view.ChatView` into its window; the chat presenter feeds its model from events and
answers its signals. Nothing in here publishes, opens a file or opens a link.
"""
