"""`python -m titan_bus` is `titan-bus`."""

import sys

from titan_bus.cli import main

sys.exit(main())
