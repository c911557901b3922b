"""What the index distinguishes in a text, and what a query asks for. Pure functions; no database.

`words.indexed` and `words.name_words` make what is stored, `asking.read` what is looked up: words between single
spaces for `to_tsvector('titan', …)`, which makes the stems.
"""
