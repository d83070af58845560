"""Timers of proposals: the monthly look at each admission."""

from servicekit.timers import TimerHandler
from services.catalogue.admissions.service import APPRAISE_TIMER
from services.catalogue.proposals import service

TIMERS: dict[str, TimerHandler] = {APPRAISE_TIMER: service.appraise}
