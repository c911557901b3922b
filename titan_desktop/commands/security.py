"""`titan doctor --security`: how the processes that read files are confined, as one of them has just found it."""

from titan_bus import Bus
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import message
from titan_desktop.contracts.security import GetSecurity, Mechanism, Security

ASK_TIMEOUT_S = 60.0
"""A process may have to be started, on a machine that is busy."""


async def run(bus: Bus, says: sentences.Table, *, json: bool) -> int:
    """Print the report. Returns 0 when everything that was tried was refused."""
    found = await message.ask(bus, GetSecurity(), ASK_TIMEOUT_S)
    if json:
        output.say_json(found)
    else:
        _print(found, says)
    refused = all(attempt.refused for attempt in found.attempts)
    return exit_codes.DONE if refused else exit_codes.NOTHING


def _print(found: Security, says: sentences.Table) -> None:
    output.say(says["security.tried"])
    width = max(len(says[f"security.act.{attempt.act}"]) for attempt in found.attempts)
    for attempt in found.attempts:
        verdict = says["security.refused" if attempt.refused else "security.possible"]
        output.say(f"- {says[f'security.act.{attempt.act}']:<{width}}  {verdict}")
    for key, in_force in (("security.in_force", True), ("security.missing", False)):
        named = ", ".join(_named(one) for one in found.mechanisms if one.in_force is in_force)
        if named:
            output.say(says[key].format(names=output.line(named)))


def _named(mechanism: Mechanism) -> str:
    return f"{mechanism.name} ({mechanism.detail})" if mechanism.detail else mechanism.name
