"""What pydantic finds wrong, in plain Chinese: read by whoever filled in the form or the sheet."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

#: Type of error → words, with the values of its context in braces: every type there is.
#: Source: `pydantic_core._pydantic_core.list_all_errors()` of the locked release.
WORDS: Final[dict[str, str]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
#: Values that come as one text, `'one', 'two' or 'three'`.
_CHOICES: Final = frozenset({"expected", "expected_tags", "expected_schemes", "discriminator"})


def in_chinese(problem: Mapping[str, Any]) -> str:
    """One entry of `ValidationError.errors()` in words; what a validator of ours said stays."""
    kind, context = problem["type"], problem.get("ctx") or {}
    own = str(context.get("error", ""))
    if kind in ("value_error", "assertion_error") and _is_chinese(own):
        return own
    return WORDS[kind].format_map({name: _said(name, context[name]) for name in context})


def _said(name: str, value: Any) -> str:
    if name in _CHOICES:
        return str(value).replace(" or ", ", ").replace(", ", "、").replace("'", "")
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _is_chinese(text: str) -> bool:
    return any("一" <= character <= "鿿" for character in text)
