"""Rule sets that take over at a time."""

from servicekit.timers import TimerHandler
from services.requests.routing.rule_sets import ACTIVATE, activate_scheduled

TIMERS: dict[str, TimerHandler] = {ACTIVATE: activate_scheduled}
