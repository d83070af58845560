"""One endpoint, one schema: as people read them, with an example that can be pasted."""

import json
from html import escape
from typing import Any

Document = dict[str, Any]
_MAX_DEPTH = 6
_SIMPLE: dict[str, Any] = {"string": "文字", "integer": 1, "number": 1.5, "boolean": True}
_BY_FORMAT = {
    "uuid": "018f3c2e-7b1a-7c3d-8e4f-5a6b7c8d9e0f",
    "date": "2026-11-23",
    "date-time": "2026-11-23T01:30:00Z",
    "time": "09:00:00",
}


def operation_section(document: Document, method: str, path: str, operation: Document) -> str:
    """An endpoint: what it is for, what it takes, what it answers, how to call it."""
    title = (operation.get("description") or operation.get("summary") or "").split("\n")[0]
    heading = (
        f'<span class="m {method}">{method.upper()}</span> <code>{escape(path)}</code>'
        f' <span class="dim">{escape(title)}</span>'
    )
    parts = [f"<p>{escape(operation.get('description', ''))}</p>"]
    if operation.get("security"):
        parts.append("<p>需要登录。</p>")
    parts.append(_parameters(document, operation.get("parameters", [])))
    body = _json_schema(operation.get("requestBody", {}))
    if body is not None:
        parts.append(f"<p>请求内容：{type_of(body)}</p>")
    parts.append(f"<pre>{escape(_curl(document, method, path, operation, body))}</pre>")
    parts.append(_responses(operation.get("responses", {})))
    anchor = escape(operation.get("operationId", f"{method}-{path}"))
    return f'<details id="{anchor}"><summary>{heading}</summary>{"".join(parts)}</details>'


def schema_section(name: str, schema: Document) -> str:
    """A schema with its fields."""
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{type_of(content)}</td>"
        f"<td>{'必填' if field in schema.get('required', ()) else ''}</td>"
        f"<td>{escape(content.get('description', ''))}</td></tr>"
        for field, content in schema.get("properties", {}).items()
    )
    described = f"<p>{escape(schema.get('description', ''))}</p>"
    body = f"<table>{rows}</table>" if rows else f"<p>{type_of(schema)}</p>"
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"{described}{body}</details>"
    )


def type_of(schema: Document) -> str:
    """A schema in a few words of HTML, linked to the schemas it names."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#schema-{name}"><code>{name}</code></a>'
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " 或 ".join(type_of(part) for part in schema[union])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"{type_of(schema.get('items', {}))} 列表"
    kind = escape(str(schema.get("type", "任意")))
    detail = schema.get("format") or schema.get("pattern")
    return f"{kind} <code>{escape(str(detail))}</code>" if detail else kind


def example_of(document: Document, schema: Document, depth: int = 0) -> Any:
    """A value of a schema, from its own examples where there are any."""
    if depth > _MAX_DEPTH:
        return None
    given = [schema.get(key) for key in ("example", "default", "const")]
    given += [*schema.get("examples", [])[:1], *schema.get("enum", [])[:1]]
    for value in given:
        if value is not None:
            return value
    if "$ref" in schema:
        return example_of(document, _resolve(document, schema["$ref"]), depth + 1)
    for union in ("anyOf", "oneOf", "allOf"):
        if schema.get(union):
            return example_of(document, schema[union][0], depth + 1)
    if schema.get("type") == "object" or "properties" in schema:
        return {
            name: example_of(document, content, depth + 1)
            for name, content in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or depth == 0
        }
    if schema.get("type") == "array":
        return [example_of(document, schema.get("items", {}), depth + 1)]
    return _BY_FORMAT.get(schema.get("format", ""), _SIMPLE.get(str(schema.get("type"))))


def _resolve(document: Document, reference: str) -> Document:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return dict(found)


def _parameters(document: Document, parameters: list[Document]) -> str:
    if not parameters:
        return ""
    rows = ""
    for given in parameters:
        entry = _resolve(document, given["$ref"]) if "$ref" in given else given
        rows += (
            f"<tr><td><code>{escape(entry['name'])}</code></td><td>{escape(entry['in'])}</td>"
            f"<td>{type_of(entry.get('schema', {}))}</td>"
            f"<td>{'必填' if entry.get('required') else ''}</td>"
            f"<td>{escape(entry.get('description', ''))}</td></tr>"
        )
    return f"<table>{rows}</table>"


def _responses(responses: Document) -> str:
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer.get('description', ''))}</td>"
        f"<td>{type_of(schema) if (schema := _json_schema(answer)) else ''}</td></tr>"
        for status, answer in responses.items()
    )
    return f"<table>{rows}</table>"


def _json_schema(part: Document) -> Document | None:
    for kind, content in part.get("content", {}).items():
        if "json" in kind:
            return dict(content.get("schema", {}))
    return None


def _curl(
    document: Document, method: str, path: str, operation: Document, body: Document | None
) -> str:
    lines = [f"curl -X {method.upper()} '{document['servers'][0]['url']}{path}'"]
    if operation.get("security"):
        lines.append("-H 'Authorization: Bearer <access_token>'")
    if method == "post":
        lines.append("-H 'Idempotency-Key: <每次提交一个新编号>'")
    if body is not None:
        example = json.dumps(example_of(document, body), ensure_ascii=False)
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d '" + example.replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)
