"""Text out of files, in confined worker processes: `pool.PooledExtractor` implements `ports.extractor`.

In the core run `pool` and `process`; in a worker `worker`, `documents` and what they stand on; in both `limits`
and `messages`. Nothing is offered here, because a worker would import it, too.
"""
