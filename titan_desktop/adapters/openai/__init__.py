"""Endpoints that speak OpenAI's protocol: the chat model and the embedder."""
