"""What can be done with a fact, and with which."""

from enum import Enum

from titan_desktop.contracts.memory import ME, ByPerson, Fact, FactState


class Deed(Enum):
    """What the person may want of the fact that is chosen."""

    OPEN = "open"
    CORRECT = "correct"
    CLOSE = "close"
    PIN = "pin"
    UNPIN = "unpin"
    FORGET = "forget"
    FORGET_SUBJECT = "forget_subject"
    ACCEPT = "accept"
    ACCEPT_ALL = "accept_all"
    REFUSE = "refuse"
    REFUSE_ALL = "refuse_all"


def possible(fact: Fact) -> frozenset[Deed]:
    """Return what can be done with a fact as it is."""
    is_proposal = fact.state is FactState.PROPOSED
    deeds = {Deed.FORGET}
    if not isinstance(fact.origin, ByPerson):
        deeds |= {Deed.OPEN}
        deeds |= {Deed.ACCEPT_ALL, Deed.REFUSE_ALL} if is_proposal else set()
    if is_proposal:
        return frozenset(deeds | {Deed.ACCEPT, Deed.REFUSE, Deed.CORRECT})
    if fact.subject_id != ME:
        deeds.add(Deed.FORGET_SUBJECT)
    if not fact.valid_to:
        deeds.add(Deed.CLOSE)
    return frozenset(deeds | {Deed.CORRECT, Deed.UNPIN if fact.pinned else Deed.PIN})
