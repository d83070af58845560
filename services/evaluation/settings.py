"""Settings of the evaluation service. No national text fixes these limits: all are provisional."""

from pydantic import Field

from contracts.values import RatingLevel
from servicekit.settings import ServiceSettings, prefixed


class EvaluationSettings(ServiceSettings):
    model_config = prefixed("EVALUATION")

    http_port: int = 8040
    metrics_port: int = 9040
    worker_metrics_port: int = 9041
    #: Where residents reach the portal, for links and QR codes; empty makes links without a host.
    portal_url: str = ""
    #: Scans and evidence come as Base64.
    body_limit_bytes: int = 4_194_304
    #: 补充评价 "一定期限内": calendar days in which a finished service may be rated, and in which
    #: 追评 may follow a reply. Provisional: no text names a number.
    supplement_days: int = Field(default=30, ge=1, le=365)
    #: Calendar days in which who gave a rating may correct or withdraw it. Provisional.
    correction_days: int = Field(default=3, ge=0, le=30)
    #: Working days from a bad rating to the reply. Provisional: 德州 5 working days, others 7 and 15.
    rectification_days: int = Field(default=5, ge=1, le=60)
    #: Working days before the due day on which the light turns yellow. Provisional.
    warn_days: int = Field(default=2, ge=0, le=30)
    #: Working days one extension may add, and how many there may be. Provisional.
    extension_days: int = Field(default=5, ge=1, le=60)
    extensions: int = Field(default=1, ge=0, le=5)
    #: Working days from the reply to the call-back. Provisional.
    call_back_within_days: int = Field(default=3, ge=1, le=60)
    #: 限期整改 may not promise a later date than this many working days. Provisional: 四川某市 15.
    fix_by_days: int = Field(default=15, ge=1, le=250)
    #: Days on which a resident must have been called in vain before a matter closes unreached.
    call_back_days: int = Field(default=3, ge=1, le=10)
    #: 系统默认评价 after the supplement period; None gives none. Never counted in any rate.
    default_rating_level: RatingLevel | None = None
    #: The list of unmet needs of a month is told on this day of the next one. Provisional.
    needs_listed_on_day: int = Field(default=3, ge=1, le=28)
    #: What fewer asked for in a village is listed for the township or county. Provisional.
    needs_minimum: int = Field(default=3, ge=1, le=100)
    wishes_a_month: int = Field(default=20, ge=1, le=1000)
    #: In what is published, fewer ratings or answers than this are withheld. Provisional: 3 to 10
    #: are usual in official statistics.
    publication_minimum: int = Field(default=5, ge=1, le=100)
    #: Score cards of a month are made on this day of the next one. Provisional.
    assessed_on_day: int = Field(default=5, ge=1, le=28)
