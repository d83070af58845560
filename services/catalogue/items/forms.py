"""Rules of an item's form: a closed-over JSON Schema 2020-12 that a screen can show."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from services.catalogue.items.content import ItemContent
from services.catalogue.items.violation import Violation

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCES = ("$ref", "$dynamicRef")


def form_violations(content: ItemContent) -> list[Violation]:
    """Every violation of a form and its screen hints."""
    form, found = content.form, []
    if form.get("$schema", DIALECT) != DIALECT:
        found.append(
            Violation(
                "/form/$schema",
                "form-dialect",
                "表单不是 JSON Schema 2020-12",
                f"把 $schema 改为 {DIALECT}",
            )
        )
    elsewhere = list(_outside_references(form, "/form"))
    found += elsewhere
    if not elsewhere:
        found += _schema_violations(form)
    if form.get("type") != "object" or not isinstance(form.get("properties"), dict):
        found.append(
            Violation(
                "/form/type",
                "form-is-object",
                "表单应是有 properties 的对象",
                '写上 "type": "object" 和各个字段',
            )
        )
        return found
    return found + list(_screen_violations(content))


def _outside_references(schema: Any, path: str) -> Iterator[Violation]:
    """References that would make whoever checks an application fetch something."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in _REFERENCES and isinstance(value, str) and not value.startswith("#"):
                yield Violation(
                    f"{path}/{key}",
                    "form-refers-outside",
                    "表单引用了外部地址",
                    "把引用的内容写进表单的 $defs",
                )
            yield from _outside_references(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for n, value in enumerate(schema):
            yield from _outside_references(value, f"{path}/{n}")


def _schema_violations(form: dict[str, Any]) -> list[Violation]:
    violations = [
        Violation(
            "/form" + "".join(f"/{part}" for part in error.instance_path),
            "form-is-schema",
            f"不符合 JSON Schema 2020-12：{error.message}",
            "按 JSON Schema 2020-12 更正",
        )
        for error in _META.iter_errors(form)
    ]
    if violations:
        return violations
    try:
        # Patterns and references inside are only looked at when a validator is built.
        jsonschema_rs.Draft202012Validator(form, retriever=_fetch_nothing)
    except jsonschema_rs.ValidationError as error:
        message = f"表单无法使用：{error.message}"
        return [Violation("/form", "form-is-schema", message, "更正其中的正则或引用")]
    return []


def _fetch_nothing(address: str) -> Any:
    raise LookupError(address)


def _screen_violations(content: ItemContent) -> Iterator[Violation]:
    form, ui = content.form, content.ui
    fields = set(form["properties"])
    required = form.get("required", [])
    if isinstance(required, list):
        for n, name in enumerate(required):
            if name not in fields:
                yield Violation(
                    f"/form/required/{n}",
                    "required-field-exists",
                    f"必填字段 {name} 不在表单里",
                    "更正字段名，或补上这个字段",
                )
    order = ui.get("order")
    if order is not None and (
        not isinstance(order, list) or sorted(map(str, order)) != sorted(fields)
    ):
        yield Violation(
            "/ui/order",
            "order-covers-form",
            "界面顺序没有恰好列出表单的每个字段",
            "每个字段列一次，不多不少",
        )
    widgets = ui.get("widgets", {})
    for name in widgets if isinstance(widgets, dict) else ():
        if name not in fields:
            yield Violation(
                f"/ui/widgets/{name}",
                "widget-of-field",
                f"控件对应的字段 {name} 不在表单里",
                "更正字段名，或删去这个控件",
            )


_META = jsonschema_rs.Draft202012Validator({"$ref": DIALECT})
