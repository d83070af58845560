"""What two texts of an item say differently, element by element."""

from collections.abc import Iterator
from typing import Any

#: What tells the entries of a list apart, where it is not their place.
_KEYS = ("code", "key")


def differences(before: Any, after: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Yield `{path, before, after}` for every element that differs; None stands for missing.

    Materials and situations are matched by their keys, so that one more does not move the others.
    """
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and path not in ("/form", "/ui"):
        for name in dict.fromkeys([*before, *after]):
            yield from differences(before.get(name), after.get(name), f"{path}/{name}")
        return
    if isinstance(before, list) and isinstance(after, list):
        first, second = _by_key(before), _by_key(after)
        if first is not None and second is not None and first != second:
            yield from differences(first, second, path)
            return
    yield {"path": path, "before": before, "after": after}


def _by_key(entries: list[Any]) -> dict[str, Any] | None:
    """The entries by what names each of them; None when nothing does."""
    for key in _KEYS:
        names = [each.get(key) if isinstance(each, dict) else None for each in entries]
        if len({name for name in names if isinstance(name, str)}) == len(entries):
            return dict(zip(map(str, names), entries, strict=True))
    return None
