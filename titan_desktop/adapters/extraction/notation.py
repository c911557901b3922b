"""Files of JSON made readable: letters instead of escapes, a notebook's cells instead of its bookkeeping."""

import json


def readable(text: str, extension: str) -> str:
    """Return the text as a person would read it; what is no JSON, or was cut off, stays as it is."""
    if extension not in {"json", "ipynb"}:
        return text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if extension == "ipynb" and isinstance(content, dict) and isinstance(content.get("cells"), list):
        return "\n\n".join(map(_source, content["cells"]))
    return json.dumps(content, ensure_ascii=False, indent=1)


def _source(cell: object) -> str:
    """Return a cell's source: one string, or its lines (nbformat 4)."""
    source = cell.get("source", "") if isinstance(cell, dict) else ""
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
