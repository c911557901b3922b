"""A gRPC service that gives programs in other languages access to the bus; see `titan_bus.proto`.

`server` listens, `calls` authenticates each call, `tokens` holds the rights, `service` implements the calls.
`dispatcher` and `stream` share one bus subscription among all streams of a group. `titan-bus grpc` runs the
server, `titan-bus token` makes tokens. The package uses only the public API of `Bus`. Its modules need the extra
`grpc`.
"""
