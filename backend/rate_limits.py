"""How often somebody may do something: counted in Redis where it is the broker, else in this process."""

import logging
import math
import time
from functools import lru_cache

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from backend import access
from backend.errors import TooManyRequests
from backend.settings import settings

log = logging.getLogger(__name__)


def count(what: str, rate: str, who: str) -> None:
    """Count that `who` did `what`, unless they did it too often. Raises TooManyRequests."""
    try:
        _count(_shared(), what, rate, who)
    except StorageError as error:
        log.warning("Redis does not answer, so each process counts alone: %s", error)
        _count(_own(), what, rate, who)


def count_submission() -> None:
    """Count a submission of the actor. Raises TooManyRequests."""
    who = access.actor()
    count("submissions", settings().submit_limit, who.token or who.client or "operator")


def _count(limiter: MovingWindowRateLimiter, what: str, rate: str, who: str) -> None:
    allowed = parse(rate)
    if not limiter.hit(allowed, what, who):
        free_at = limiter.get_window_stats(allowed, what, who).reset_time
        wait = max(math.ceil(free_at - time.time()), 1)
        raise TooManyRequests(f"too many {what}: {allowed} are taken; try again in {wait} s", wait)


@lru_cache
def _shared() -> MovingWindowRateLimiter:
    if not settings().broker_kind.startswith("redis"):
        return _own()
    return MovingWindowRateLimiter(storage_from_string(settings().broker, wrap_exceptions=True))


@lru_cache
def _own() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


def forget() -> None:
    """Begin to count anew."""
    _shared.cache_clear()
    _own.cache_clear()
