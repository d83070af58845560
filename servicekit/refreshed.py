"""A local copy held in memory: loaded from the service's own database, renewed when it changed."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from servicekit.database import DATABASE_ERRORS
from servicekit.logging import logger

T = TypeVar("T")
CHECK_SECONDS = 0.5


class Refreshed(Generic[T]):
    """`load` builds the value, `fingerprint` (cheap) tells whether it is still the newest."""

    def __init__(
        self,
        name: str,
        *,
        load: Callable[[], Awaitable[T]],
        fingerprint: Callable[[], Awaitable[Hashable]],
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._name = name
        self._load = load
        self._fingerprint = fingerprint
        self._check_seconds = check_seconds
        self._value: T | None = None
        self._seen: Hashable = None
        self._lock = asyncio.Lock()

    @property
    def value(self) -> T:
        """The newest loaded value; `start` must have run."""
        assert self._value is not None, f"{self._name} is not loaded"
        return self._value

    async def refresh(self) -> T:
        """Load now if anything changed."""
        async with self._lock:
            seen = await self._fingerprint()
            if self._value is None or seen != self._seen:
                self._value = await self._load()
                self._seen = seen
        return self._value

    async def run(self) -> None:
        """Keep the value fresh until cancelled; a lost database keeps the old value."""
        while True:
            await asyncio.sleep(self._check_seconds)
            try:
                await self.refresh()
            except DATABASE_ERRORS as error:
                logger.warning("refresh_failed", copy=self._name, error=repr(error))
