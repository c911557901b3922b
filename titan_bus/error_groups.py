"""Exception groups: which error of a group decides what becomes of an event, and how the group is described.

`asyncio.TaskGroup` raises a group also for a single error. Used by `consumer.disposition`, `request`,
`observability.otel` and `deadletter`.
"""

from titan_bus.errors import FatalError, RequestRefused, text_of


def inner(error: BaseException) -> list[BaseException]:
    """Return the errors of a group and of the groups in it, in order; for any other error, that error alone."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [one for part in error.exceptions for one in inner(part)]


def decisive(error: BaseException) -> BaseException:
    """Return the error that decides what becomes of the event.

    For a group whose errors are all refusals, or all fatal, it is the first of them. For any other group it is the
    group: some of its errors may not come again when the event is retried.
    """
    errors = inner(error)
    if all(isinstance(one, RequestRefused) for one in errors) or all(
        isinstance(one, FatalError) for one in errors
    ):
        return errors[0]
    return error


def kind_of(error: BaseException) -> str:
    """Return the name of an error's class; of a group that of its errors, where they are of one class."""
    kinds = {type(one).__name__ for one in inner(error)}
    return kinds.pop() if len(kinds) == 1 else type(error).__name__


def message_of(error: BaseException) -> str:
    """Return what an error says; of a group what each of its errors says, with its class."""
    errors = inner(error)
    if len(errors) == 1:
        return text_of(errors[0])
    return "; ".join(f"{type(one).__name__}: {text_of(one)}" for one in errors)
