"""Numbers from outside, within the range that the stores have: PostgreSQL's bigint, the graph's INT64.

A reader refuses an event with another; its publisher brings them into range (`ports.files_root.Stamp`).
"""

from typing import Annotated

import msgspec

INT64_MAX = 2**63 - 1

Int64 = Annotated[int, msgspec.Meta(ge=-INT64_MAX, le=INT64_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
