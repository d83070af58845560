"""What is wrong with a rule set before it rules: conflicts, dead rules, and what nothing covers."""

from collections.abc import Callable, Iterable

from contracts.values import division_prefix
from services.requests.routing.matcher import DIMENSIONS, Masks, Matcher, bits
from services.requests.routing.rules import Matter, Rule

#: Findings of a kind that are listed; the rest is counted.
LISTED = 100


def find_conflicts(matcher: Matcher) -> list[tuple[str, str]]:
    """Pairs of one priority that overlap but differ in their target."""
    same_priority: dict[int, int] = {}
    for index, rule in enumerate(matcher.rules):
        same_priority[rule.priority] = same_priority.get(rule.priority, 0) | 1 << index
    below = _below(matcher)
    found = []
    for index, rule in enumerate(matcher.rules):
        mask = same_priority[rule.priority] >> (index + 1) << (index + 1)
        if not mask:
            continue
        for name in DIMENSIONS:
            mask &= _overlapping(matcher.masks[name], map(str, getattr(rule.match, name)))
        mask &= _overlapping_places(matcher, rule, below)
        found += [
            (rule.name, matcher.rules[other].name)
            for other in bits(mask)
            if matcher.rules[other].target != rule.target
            and _at_one_time(rule, matcher.rules[other])
        ]
    return found


def find_unreachable(matcher: Matcher) -> list[tuple[str, str]]:
    """Rules behind one that takes everything they could, wherever the unit it names is registered.

    A rule that looks at time or load hides nothing.
    """
    static = sum(1 << i for i, rule in enumerate(matcher.rules) if rule.match.is_static)
    found = []
    for index, rule in enumerate(matcher.rules):
        mask = static & ((1 << index) - 1)
        for name in DIMENSIONS:
            mask &= _covering(matcher.masks[name], map(str, getattr(rule.match, name)))
        places = [_chain(prefix) for prefix in map(division_prefix, rule.match.divisions)]
        if places:
            for chain in places:
                allowed = matcher.divisions.anything
                for prefix in chain:
                    allowed |= matcher.divisions.by_value.get(prefix, 0)
                mask &= allowed
        else:
            mask &= matcher.divisions.anything
        first = next(bits(mask), None)
        if first is not None:
            found.append((rule.name, matcher.rules[first].name))
    return found


def find_uncovered(
    matters: Iterable[Matter], decide: Callable[[Matter], str | None]
) -> list[Matter]:
    """Matters that no rule sends anywhere; `decide` returns the rule that fires."""
    return [matter for matter in matters if decide(matter) is None]


def _at_one_time(rule: Rule, other: Rule) -> bool:
    first, second = rule.match.window, other.match.window
    return first is None or second is None or first.overlaps(second)


def _overlapping(masks: Masks, values: Iterable[str]) -> int:
    allowed = list(values)
    if not allowed:
        return -1
    mask = masks.anything
    for value in allowed:
        mask |= masks.by_value.get(value, 0)
    return mask


def _covering(masks: Masks, values: Iterable[str]) -> int:
    allowed = list(values)
    if not allowed:
        return masks.anything
    mask = -1
    for value in allowed:
        mask &= masks.of(value)
    return mask


def _chain(prefix: str) -> list[str]:
    return [prefix[:digits] for digits in (2, 4, 6, 9, 12) if digits <= len(prefix)]


def _below(matcher: Matcher) -> dict[str, int]:
    """Prefix → the rules that name a division at or below it."""
    below: dict[str, int] = {}
    for prefix, mask in matcher.divisions.by_value.items():
        for above in _chain(prefix):
            below[above] = below.get(above, 0) | mask
    return below


def _overlapping_places(matcher: Matcher, rule: Rule, below: dict[str, int]) -> int:
    if not rule.match.divisions:
        return -1
    mask = matcher.divisions.anything
    for prefix in map(division_prefix, rule.match.divisions):
        mask |= below.get(prefix, 0)
        for above in _chain(prefix):
            mask |= matcher.divisions.by_value.get(above, 0)
    return mask
