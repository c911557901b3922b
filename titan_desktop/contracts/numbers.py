"""The range of numbers from outside: 64 bits, as PostgreSQL's bigint and the graph's INT64 have.

An event with a number outside the range is refused when it is read; publishers clamp (`ports.files_root.Stamp`).
"""

from typing import Annotated

import msgspec

INT64_MAX = 2**63 - 1

Int64 = Annotated[int, msgspec.Meta(ge=-INT64_MAX, le=INT64_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
