"""What pydantic finds wrong, in plain Chinese: read by whoever filled in the form or the sheet."""

from collections.abc import Mapping
from typing import Any, Final

#: Type of error → words; in braces what the field allows.
_WORDS: Final = {
    "missing": "没有填写",
    "extra_forbidden": "没有这一项，请删去或核对名称",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不正确",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "multiple_of": "应是 {multiple_of} 的倍数",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
    "timezone_aware": "时间要带时区，例如 2026-11-22T09:00:00+08:00",
    "finite_number": "应是数字",
    "none_required": "应留空",
}
#: What an error's type begins with → words.
_KINDS: Final = {
    "string": "应是文字", "int": "应是整数", "float": "应是数字", "decimal": "应是数字",
    "bool": "应是 true 或 false", "date": "应是日期，例如 2026-11-22",
    "datetime": "应是时间，例如 2026-11-22T09:00:00+08:00", "time": "应是时刻，例如 09:00",
    "uuid": "应是编号（UUID）", "list": "应是列表", "tuple": "应是列表", "set": "应是列表",
    "dict": "应是对象", "model": "应是对象", "url": "应是网址",
}  # fmt: skip


def in_chinese(problem: Mapping[str, Any]) -> str:
    """One entry of `ValidationError.errors()` in words; what a validator of ours said stays."""
    kind, context = problem["type"], problem.get("ctx") or {}
    if kind in ("value_error", "assertion_error") and "error" in context:
        return str(context["error"])
    words = _WORDS.get(kind) or _KINDS.get(kind.partition("_")[0]) or "内容不合要求"
    return words.format_map({
        name: str(value).replace(" or ", "、").replace(", ", "、")
        for name, value in context.items()
    })  # fmt: skip
