"""The consumer side of a subscription: read, sort, limit, dispatch, settle. `processor` connects the parts."""
