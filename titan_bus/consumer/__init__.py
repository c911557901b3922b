"""What a subscription does: read, sort, limit, dispatch, come to an outcome. `processor` is the middle of it."""
