"""A rule set compiled to bit masks: thousands of rules are looked at in microseconds.

Every value of every condition has a mask with one bit for each rule that allows it; the rules that
match a matter are the AND of a dozen masks. The lowest bit is the first rule. Time, load and
whether the unit exists are asked only of what is left.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from contracts.values import division_prefix
from services.requests.clock.calendars import chain_of
from services.requests.routing.rules import Decision, Matter, Parallel, Queue, Rule

DIMENSIONS: dict[str, tuple[str, str]] = {
    "item_codes": ("item_code", "事项不在规则内"),
    "departments": ("department", "主管部门不在规则内"),
    "levels": ("level", "办理层级不在规则内"),
    "item_kinds": ("item_kind", "事项类别不在规则内"),
    "categories": ("category", "服务类别不在规则内"),
    "triage_classes": ("triage_class", "分流类别不在规则内"),
    "objects": ("object", "服务对象不在规则内"),
    "channels": ("channel", "渠道不在规则内"),
}


@dataclass(frozen=True, slots=True)
class Masks:
    """Which rules allow which value of one condition."""

    #: Rules that do not look at it.
    anything: int
    by_value: Mapping[str, int]

    def of(self, value: str) -> int:
        """The rules that allow a value."""
        return self.anything | self.by_value.get(value, 0)


@dataclass(frozen=True, slots=True)
class Matcher:
    """The compiled form of a rule set; rules are sorted by priority."""

    version: int
    rules: tuple[Rule, ...]
    masks: Mapping[str, Masks] = field(repr=False)
    #: By significant digits of a division code.
    divisions: Masks = field(repr=False)

    @property
    def uses_load(self) -> bool:
        """Whether any rule asks how much a unit has to do."""
        return any(rule.match.max_unit_load is not None for rule in self.rules)

    def candidates(self, matter: Matter) -> int:
        """The mask of the rules whose static conditions hold."""
        mask = (1 << len(self.rules)) - 1
        for name, (attribute, _) in DIMENSIONS.items():
            mask &= self.masks[name].of(str(getattr(matter, attribute)))
            if not mask:
                return 0
        place = self.divisions.anything
        for prefix in _prefixes(matter.division_code):
            place |= self.divisions.by_value.get(prefix, 0)
        return mask & place

    def route(
        self,
        matter: Matter,
        units: Container[str],
        *,
        load: Mapping[str, int] | None = None,
        whole: bool = False,
    ) -> Decision:
        """Decide; `whole` also says of every rule before why it did not fire."""
        skipped: list[tuple[str, str]] = []
        mask = self.candidates(matter)
        for index in range(len(self.rules)) if whole else bits(mask):
            rule = self.rules[index]
            if not mask >> index & 1:
                skipped.append((rule.name, self._static_reason(index, matter)))
                continue
            reason, unit, parallel = _aim(rule, matter, units, load or {})
            if reason is None:
                return Decision(self.version, unit, rule.name, tuple(skipped), parallel)
            skipped.append((rule.name, reason))
        return Decision(self.version, None, None, tuple(skipped))

    def _static_reason(self, index: int, matter: Matter) -> str:
        for name, (attribute, reason) in DIMENSIONS.items():
            if not self.masks[name].of(str(getattr(matter, attribute))) >> index & 1:
                return reason
        return "区域不在规则内"


@lru_cache(maxsize=8192)
def _prefixes(division_code: str) -> tuple[str, ...]:
    """The significant digits of a division and of all above it."""
    return tuple(map(division_prefix, chain_of(division_code)))


def compile_rules(rules: Iterable[Rule], version: int) -> Matcher:
    """Sort rules by priority, in their own order where it is equal, and compile them."""
    ordered = tuple(sorted(rules, key=lambda rule: rule.priority))
    masks = {
        name: _masks([tuple(map(str, getattr(rule.match, name))) for rule in ordered])
        for name in DIMENSIONS
    }
    places = [tuple(map(division_prefix, rule.match.divisions)) for rule in ordered]
    return Matcher(version, ordered, masks, _masks(places))


def _masks(values: list[tuple[str, ...]]) -> Masks:
    anything, by_value = 0, dict[str, int]()
    for index, allowed in enumerate(values):
        if not allowed:
            anything |= 1 << index
        for value in allowed:
            by_value[value] = by_value.get(value, 0) | 1 << index
    return Masks(anything, by_value)


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _aim(
    rule: Rule, matter: Matter, units: Container[str], load: Mapping[str, int]
) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Why a rule does not fire, or None; the unit; the units asked besides."""
    match, target = rule.match, rule.target
    if match.window is not None and matter.at is not None and not match.window.holds(matter.at):
        return "不在规则的时段内", None, ()
    if isinstance(target, Queue):
        return None, None, ()
    lead = target.lead if isinstance(target, Parallel) else target
    unit = lead.unit_code(matter)
    reason = _unfit(unit, units)
    if reason is None and match.max_unit_load is not None:
        open_cases = load.get(unit or "", 0)
        if open_cases > match.max_unit_load:
            reason = f"单位在办 {open_cases} 件，超过 {match.max_unit_load} 件"
    if reason is not None:
        return reason, None, ()
    others: tuple[str, ...] = ()
    if isinstance(target, Parallel):
        codes = dict.fromkeys(other.unit_code(matter) for other in target.others)
        for code in codes:
            if (reason := _unfit(code, units)) is not None:
                return reason, None, ()
        others = tuple(code for code in codes if code is not None and code != unit)
    return None, unit, others


def _unfit(unit: str | None, units: Container[str]) -> str | None:
    if unit is None:
        return "申请人所在区域高于规则的办理层级"
    return None if unit in units else f"单位 {unit} 尚未登记"
