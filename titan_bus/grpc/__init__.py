"""The bus for programs in other languages: a thin gRPC service, described in `titan_bus.proto`.

`server` listens, `calls` begins each call, `tokens` says who may do what, `service` answers. `dispatcher` and
`stream` make one bus subscription of all streams of a group. `titan-bus grpc` runs it, `titan-bus token` makes the
tokens. Nothing here knows Redis: it is a user of `Bus` like any other. Its modules need the extra `grpc`.
"""
