"""Which metrics and labels an expression of PromQL names. Not a parser: it knows the words and the brackets.

It is strict where a mistake would hide: an unknown function, a character that it does not know, an unclosed
bracket are errors. Grafana's variables stand for a duration or for a label's value.
"""

import re
from dataclasses import dataclass, field

FUNCTIONS = {"rate", "increase", "sum", "max", "min", "count", "time", "histogram_quantile", "absent"}
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool"}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<range>\[(?:\d+[smhd]|\$__rate_interval|\$__range)\])
    |(?P<offset>offset\s+\d+[smhd]\b)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<matcher>=~|!~|!=)
    |(?P<sign>==|>=|<=|[-+*/%^><=(){},])""",
    re.VERBOSE,
)


@dataclass
class Selector:
    """A metric with the labels that it is selected by, each with its operator and value."""

    metric: str
    matchers: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Expression:
    selectors: list[Selector] = field(default_factory=list)
    groupings: set[str] = field(default_factory=set)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + 20]!r} in {text!r}")
        at = found.end()
        if found.lastgroup != "space":
            tokens.append((str(found.lastgroup), found.group()))
    if [text for _, text in tokens].count("(") != [text for _, text in tokens].count(")"):
        raise ValueError(f"brackets in {text!r}")
    return [*tokens, ("end", "")]


def read(text: str) -> Expression:
    """Return what an expression names.

    Raises:
        ValueError: it is no expression that this reader knows.
    """
    tokens, expression, at = _tokens(text), Expression(), 0
    while tokens[at][0] != "end":
        kind, word = tokens[at]
        after = tokens[at + 1][1]
        at += 1
        if kind != "word" or word in OPERATORS:
            continue
        if word in GROUPINGS:
            end = tokens.index(("sign", ")"), at)
            expression.groupings |= {label for kind, label in tokens[at:end] if kind == "word"}
            at = end
        elif word in FUNCTIONS:
            if after != "(" and after not in GROUPINGS:
                raise ValueError(f"{word} without arguments in {text!r}")
        elif word == "offset":
            raise ValueError(f"offset without a duration in {text!r}")
        elif after == "(":
            raise ValueError(f"unknown function {word} in {text!r}")
        else:
            selector, at = _selector(word, tokens, at)
            expression.selectors.append(selector)
    return expression


def _selector(metric: str, tokens: list[tuple[str, str]], at: int) -> tuple[Selector, int]:
    selector = Selector(metric)
    if tokens[at][1] != "{":
        return selector, at
    at += 1
    while tokens[at][1] != "}":
        (kind, label), (_, operator), (value_kind, value) = tokens[at : at + 3]
        if kind != "word" or operator not in {"=", "!=", "=~", "!~"} or value_kind != "string":
            raise ValueError(f"matcher of {metric}: {label}{operator}{value}")
        selector.matchers.append((label, operator, value[1:-1]))
        at += 3
        if tokens[at][1] == ",":
            at += 1
    return selector, at + 1
