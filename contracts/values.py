"""Value types that cross services: codes, numbers and levels, each with its own check."""

import re
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.util import clean


class DivisionLevel(StrEnum):
    """行政区划级别, by how many digits of the 12-digit code are significant."""

    province = "province"
    city = "city"
    county = "county"
    township = "township"
    community = "community"


#: Digits that carry meaning at each level. Source: 统计用区划代码 (省2 地2 县2 乡3 村3).
SIGNIFICANT_DIGITS = {
    DivisionLevel.province: 2,
    DivisionLevel.city: 4,
    DivisionLevel.county: 6,
    DivisionLevel.township: 9,
    DivisionLevel.community: 12,
}
# [0-9], never \d, which also takes full-width and other digits of Unicode.
_DIVISION = re.compile(r"(0[1-9]|[1-9][0-9])[0-9]{10}")
#: The whole country keeps one time; a child is born on a day of it, not of UTC.
_CHINA = timezone(timedelta(hours=8))
_IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


def division_level(code: str) -> DivisionLevel:
    """Return the level of a 12-digit division code by its trailing zeros."""
    for level, digits in SIGNIFICANT_DIGITS.items():
        if not code[digits:].strip("0"):
            return level
    return DivisionLevel.community


def division_prefix(code: str) -> str:
    """Return the significant digits of a division code: 140802000000 → 140802."""
    return code[: SIGNIFICANT_DIGITS[division_level(code)]]


def division_covers(outer: str, inner: str) -> bool:
    """Say whether `inner` is `outer` itself or lies below it."""
    return inner.startswith(division_prefix(outer))


def division_at(code: str, level: DivisionLevel) -> str:
    """Return the ancestor (or itself) of a division at a level: township 140802001005 → 140802001000.

    Raises:
        ValueError: the code lies above that level.
    """
    digits = SIGNIFICANT_DIGITS[level]
    if len(division_prefix(code)) < digits:
        raise ValueError(f"{code} lies above the level {level}")
    return code[:digits].ljust(12, "0")


def _check_division(code: str) -> str:
    if not _DIVISION.fullmatch(code):
        raise ValueError("区划代码应为 12 位数字")
    return code


def _check_identity_number(number: str) -> str:
    """Check length, birth date and check digit; a retired area prefix is no fault of the holder.

    Returns it without spaces, dashes and full-width characters, so that its blind index is one.
    """
    number = clean(number, " -").upper()
    if not _IDENTITY_NUMBER.fullmatch(number):
        raise ValueError("居民身份证号应为 18 位")
    try:
        born = ric.get_birth_date(number)
    except StdnumError:
        raise ValueError("居民身份证号中的出生日期不存在") from None
    if born > datetime.now(_CHINA).date():
        raise ValueError("居民身份证号中的出生日期在将来")
    if ric.calc_check_digit(number) != number[-1]:
        raise ValueError("居民身份证号的校验码不符，请核对每一位")
    return number


def _check_uscc(code: str) -> str:
    """Return the code without spaces, dashes and full-width characters."""
    try:
        compact: str = uscc.validate(code)
    except StdnumError:
        raise ValueError("统一社会信用代码不正确，请核对每一位") from None
    return compact


#: 12-digit 统计用区划代码, trailing zeros for higher levels. Source: 国家统计局.
DivisionCode = Annotated[
    str,
    AfterValidator(_check_division),
    WithJsonSchema({"type": "string", "pattern": f"^{_DIVISION.pattern}$"}),
]
#: Service item code: national (31/33/34), provincial or our own; never judged by length alone.
ItemCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{2,95}$")]
#: Unit code: `<division code>:<department code>`.
UnitCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}:[a-z][a-z0-9-]{1,47}$")]
#: Department code: kebab-case, see data/departments.yaml.
DepartmentCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
#: 办件编号: item code + yyyyMMdd + serial. Source: GB/T 39046-2020 `project_no` an..50 and observed use.
CaseNumber = Annotated[str, StringConstraints(min_length=8, max_length=128)]
#: Short public number of a request: 6-digit county, yyMMdd, serial and a check digit.
RequestNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}-[0-9]{6}-[0-9]{5,9}$")]
#: 居民身份证号, 18 characters. Source: GB 11643-1999.
IdentityNumber = Annotated[str, AfterValidator(_check_identity_number)]
#: 统一社会信用代码, 18 characters. Source: GB 32100-2015.
Uscc = Annotated[str, AfterValidator(_check_uscc)]
#: Mainland mobile number, 11 digits.
MobileNumber = Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]
PositiveDays = Annotated[int, Field(ge=0, le=3650)]


class RatingLevel(StrEnum):
    """满意度, always by name: the numbers run in opposite directions in two standards.

    Source: GB/T 39046-2020 A.8 (1 = 非常满意) against the 好差评 interface (5 = 非常满意).
    """

    very_satisfied = "very-satisfied"
    satisfied = "satisfied"
    fairly_satisfied = "fairly-satisfied"
    dissatisfied = "dissatisfied"
    very_dissatisfied = "very-dissatisfied"

    @property
    def is_bad(self) -> bool:
        """差评: the last two levels."""
        return self in (RatingLevel.dissatisfied, RatingLevel.very_dissatisfied)

    @property
    def stars(self) -> int:
        """Stars as shown to residents, 5 best."""
        return 5 - list(RatingLevel).index(self)


class TimeUnit(StrEnum):
    """时限单位: 工作日 or 自然日."""

    working_days = "working-days"
    calendar_days = "calendar-days"


class ProjectKind(StrEnum):
    """办件类型: 即办件 or 承诺件."""

    immediate = "immediate"
    promised = "promised"


class Channel(StrEnum):
    """Where a request or rating was handed in."""

    portal = "portal"
    mini_program = "mini-program"
    window = "window"
    self_service_terminal = "self-service-terminal"
    telephone = "telephone"
    agent = "agent"
    provincial_platform = "provincial-platform"
