"""The predicates that Titan has codes for. Others are kept in the person's words.

A code says the same in both languages, so that «живёт в» ends "lives in", and whether a newer fact ends an older
one. The clients word it; `services.facts.predicates` knows what people write for it.
"""

ONE_AT_A_TIME = frozenset(
    {
        "age",
        "birthday",
        "boss",
        "deadline",
        "email",
        "job",
        "lives_in",
        "located_in",
        "married_to",
        "name",
        "phone",
        "price",
        "studies_at",
        "works_at",
    }
)
"""A newer one ends the one before it: somebody lives in one place at a time, as far as Titan tells."""
MANY = frozenset(
    {
        "allergic_to",
        "child_of",
        "dislikes",
        "friend_of",
        "knows",
        "likes",
        "member_of",
        "owns",
        "parent_of",
        "speaks",
        "visited",
        "works_on",
    }
)
"""A newer one stands beside the others."""
CODES = ONE_AT_A_TIME | MANY
