"""What makes a submission acceptable, as pure functions on values."""

from collections.abc import Iterable
from typing import Any

import jsonschema_rs

from contracts.catalogue import Material

#: JSON Schema keyword → what is wrong, in plain words.
_WORDS = {
    "required": "必填项没有填写",
    "type": "填写的类型不对",
    "enum": "请从给出的选项中选择",
    "const": "填写的内容不对",
    "pattern": "格式不对",
    "format": "格式不对",
    "minLength": "填写得太短",
    "maxLength": "填写得太长",
    "minimum": "数值太小",
    "maximum": "数值太大",
    "exclusiveMinimum": "数值太小",
    "exclusiveMaximum": "数值太大",
    "minItems": "项数太少",
    "maxItems": "项数太多",
    "uniqueItems": "有重复的项",
    "additionalProperties": "有表单之外的内容",
}


def form_violations(
    form: jsonschema_rs.Draft202012Validator,
    schema: dict[str, Any],
    answers: dict[str, Any],
    base_path: str,
) -> list[dict[str, str]]:
    """Every violation of an item's form, each with the path of the field; never the value."""
    return [_describe(error, schema, base_path) for error in form.iter_errors(answers)]


def _describe(
    error: jsonschema_rs.ValidationError, schema: dict[str, Any], base_path: str
) -> dict[str, str]:
    path = [str(part) for part in error.instance_path]
    keyword = error.kind.name
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        path.append(str(error.kind.property))
    title = schema.get("properties", {}).get(path[0], {}).get("title", "") if path else ""
    words = _WORDS.get(keyword, "填写的内容不符合要求")
    return {
        "path": "/".join([base_path, *path]),
        "in": "body",
        "message": f"{title}：{words}" if title else words,
        "type": keyword,
    }


def missing_materials(materials: Iterable[Material], handed_in: Iterable[str]) -> list[Material]:
    """Required materials that were not handed in; they may follow, by a correction notice."""
    there = set(handed_in)
    return [
        material
        for material in materials
        if material.necessity == "required" and material.code not in there
    ]


def unknown_materials(materials: Iterable[Material], handed_in: Iterable[str]) -> list[str]:
    """Handed-in materials the item does not ask for: nobody may collect more than it needs."""
    known = {material.code for material in materials}
    return [code for code in handed_in if code not in known]
