"""Timers of admission: the end of a consultation, and of an approval."""

from servicekit.timers import TimerHandler
from services.catalogue.admissions import consultation, service

TIMERS: dict[str, TimerHandler] = {
    consultation.CONSULT_TIMER: consultation.end,
    service.EXPIRE_TIMER: service.expire,
}
