"""The refusals every endpoint can give, as the merged document describes them."""

from typing import Any

Document = dict[str, Any]
NAME = "Problem"
#: Source: RFC 9457, and the members that servicekit.errors adds.
PROBLEM: Document = {
    "type": "object",
    "title": NAME,
    "description": "错误说明（RFC 9457）。code 稳定，可据此判断；title 可直接给居民看。",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:problem:rate-limited"]},
        "title": {"type": "string", "description": "给居民看的一句话"},
        "status": {"type": "integer", "examples": [429]},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["rate-limited"]},
        "instance": {"type": "string", "description": "请求编号，与 X-Request-Id 相同"},
        "errors": {
            "type": "array",
            "description": "内容有误时，每处一条",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "in": {"type": "string"},
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{NAME}"}}}
_FRAMEWORK_SCHEMA = "#/components/schemas/HTTPValidationError"


def describe_refusals(operation: Document) -> None:
    """Give an operation its refusals; the framework's idea of a 422 is not what we answer."""
    responses = operation.setdefault("responses", {})
    for status, answer in responses.items():
        content = answer.get("content", {})
        schemas = [kind.get("schema", {}).get("$ref") for kind in content.values()]
        if _FRAMEWORK_SCHEMA in schemas:
            responses[status] = {"description": "填写的内容有误", "content": _CONTENT}
    responses.setdefault("default", {"description": "其他错误", "content": _CONTENT})
