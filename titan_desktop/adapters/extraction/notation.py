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
    """Return a cell's source and what it has printed (nbformat 4)."""
    if not isinstance(cell, dict):
        return ""
    outputs = cell.get("outputs")
    printed = (
        [_printed(output) for output in outputs if isinstance(output, dict)]
        if isinstance(outputs, list)
        else []
    )
    return "\n\n".join(filter(None, (_joined(cell.get("source")), *printed)))


def _printed(output: dict[str, object]) -> str:
    """Return the text of a stream, a result, or an error; pictures have none."""
    data = output.get("data")
    shown = data.get("text/plain") if isinstance(data, dict) else None
    return _joined(output.get("text") or shown or output.get("evalue"))


def _joined(lines: object) -> str:
    """Return one string, or its lines."""
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
