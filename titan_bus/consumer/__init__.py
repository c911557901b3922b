"""What a subscription does: read, sort, limit, dispatch, come to a verdict. `processor` is the middle of it."""
