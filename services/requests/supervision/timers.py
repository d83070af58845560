"""What happens when nobody answers."""

from servicekit.timers import TimerHandler
from services.requests.supervision.service import REPLY_DUE, reply_due

TIMERS: dict[str, TimerHandler] = {REPLY_DUE: reply_due}
