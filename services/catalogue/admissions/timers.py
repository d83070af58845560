"""Timers of admission: the end of a consultation, and of an approval."""

from servicekit.timers import TimerHandler
from services.catalogue.admissions import service

TIMERS: dict[str, TimerHandler] = {
    service.CONSULT_TIMER: service.end_consultation,
    service.EXPIRE_TIMER: service.expire,
}
