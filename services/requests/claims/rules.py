"""How often somebody may try, and as whom somebody who proves who they are may claim."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

#: Tries of one account, or at one request, in the window. Provisional: no common standard.
MOST_ATTEMPTS = 5
WINDOW = timedelta(hours=1)

ClaimedAs = Literal["applicant", "agent"]


@dataclass(frozen=True, slots=True)
class Indexes:
    """Blind indexes of an identity number and a mobile number."""

    identity: bytes | None
    mobile: bytes | None


def is_exhausted(attempts: int) -> bool:
    """Whether a try, counted already, is one too many."""
    return attempts > MOST_ATTEMPTS


def claimed_as(
    applicant: Indexes,
    agent: Indexes | None,
    agent_until: date | None,
    *,
    of_applicant: Indexes,
    of_agent: Indexes,
    today: date,
) -> ClaimedAs | None:
    """As whom somebody may claim, or None.

    `of_applicant` and `of_agent` are what the claimant shows, indexed like the applicant's columns
    and like the agent's. Both numbers must be the same person's: the identity number, which the
    claimant knows, and the mobile, which the sign-in has proven.
    """
    if of_applicant == applicant:
        return "applicant"
    is_in_power = agent_until is None or agent_until >= today
    return "agent" if agent is not None and of_agent == agent and is_in_power else None
