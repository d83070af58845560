"""Refusals that must leave a trace: a counted attempt, a revoked family."""

from typing import TypeVar

from servicekit.errors import ServiceError

T = TypeVar("T")


def settled(outcome: T | ServiceError) -> T:
    """Return an outcome, or raise the refusal it is.

    A refusal raised inside a transaction undoes it. Service functions of the gateway therefore
    return refusals whose effects must stay; endpoints call `settled` after the commit.

    Raises:
        ServiceError: the outcome is a refusal.
    """
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome
