"""Text out of files, in confined worker processes: `pool.PooledExtractor` implements `ports.extractor`.

The core runs `pool` and `process`; a worker runs `worker`, `documents` and what these import; both use `limits`
and `messages`. This module exports nothing, because a worker would import it, too.
"""
