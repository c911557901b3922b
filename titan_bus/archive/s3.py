"""An archive in a bucket of any S3-compatible store, through `obstore`. Imported only when one is configured."""

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from titan_bus.archive.storage import Stored
from titan_bus.errors import ExtraMissingError, StoreError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

OPTIONS = ("endpoint", "region", "access_key_id", "secret_access_key", "session_token")
CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(seconds=60)
DELETE_MAX = 1_000
"""Keys of one DeleteObjects request (Amazon S3 API Reference)."""


class S3Store:
    """A bucket, or a prefix in one. Options that are not given come from `AWS_*` in the environment."""

    def __init__(self, target: str, options: dict[str, str]) -> None:
        try:
            import obstore
        except ImportError:
            raise ExtraMissingError("an archive in S3", "s3") from None
        parts = urlsplit(target)
        if not parts.netloc or parts.query or "@" in parts.netloc:
            # The target is not repeated in the message, because it may contain a key.
            raise ValueError("an archive in S3 is s3://bucket/prefix; keys are options or in the environment")
        if unknown := options.keys() - set(OPTIONS):
            raise ValueError(f"unknown archive option {min(unknown)!r}, known are {', '.join(OPTIONS)}")
        self.target = target
        self._failures = (obstore.exceptions.BaseError, OSError)
        self._store = _connect(parts.netloc, parts.path.strip("/"), options)

    async def stored(self, folder: str = "") -> list[Stored]:
        """See `Store`."""
        import obstore

        found: list[Stored] = []
        try:
            async for page in obstore.list(self._store, prefix=folder or None):
                found += [Stored(row["path"], row["size"]) for row in page]
        except self._failures as error:
            raise self._failed(folder, error) from error
        return found

    async def put(self, key: str, data: bytes) -> None:
        """See `Store`. When cancelled, the object is written whole or not at all."""
        import obstore

        try:
            # No multipart upload: the parts of an aborted one stay in the bucket, hidden, and cost money.
            await obstore.put_async(self._store, key, data, use_multipart=False)
        except self._failures as error:
            raise self._failed(key, error) from error

    async def get(self, key: str) -> bytes | None:
        """See `Store`."""
        import obstore

        try:
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
        except FileNotFoundError:
            return None
        except self._failures as error:
            raise self._failed(key, error) from error

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Store`."""
        import obstore

        for start in range(0, len(keys), DELETE_MAX):
            try:
                await obstore.delete_async(self._store, list(keys[start : start + DELETE_MAX]))
            except FileNotFoundError:  # some stores report this
                continue
            except self._failures as error:
                raise self._failed(keys[start], error) from error

    async def sweep(self, folder: str) -> None:
        """See `Store`. Objects are uploaded in one piece, so none is half-written."""

    def _failed(self, key: str, error: Exception) -> StoreError:
        return StoreError(self.target, key, str(error).strip().partition("\n")[0])


def _connect(bucket: str, prefix: str, options: dict[str, str]) -> Any:
    from obstore.store import S3Store as Bucket

    endpoint = urlsplit(options.get("endpoint", ""))
    return Bucket(
        bucket,
        prefix=prefix or None,
        client_options={
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": REQUEST_TIMEOUT,
            **({"allow_http": True} if endpoint.scheme == "http" else {}),
            **_past_proxies(endpoint.hostname or ""),
        },
        retry_config={"max_retries": 2, "retry_timeout": REQUEST_TIMEOUT},
        **options,  # type: ignore[arg-type]  # checked against OPTIONS; the stub lists literal names only
    )


def _past_proxies(host: str) -> "ClientConfig":
    """Return the options with which a store on this machine is reached past the environment's proxies.

    There is no option for that; a proxy that is set here and leads nowhere takes the place of theirs.
    """
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return {"proxy_url": "http://127.0.0.1:9", "proxy_excludes": host} if is_here else {}
