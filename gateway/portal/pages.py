"""The pages a browser sees: plain HTML without scripts, nothing from other hosts."""

from collections.abc import Sequence
from html import escape
from typing import Any

from gateway.portal.merging import METHODS, Document
from gateway.portal.reference import operation_section, schema_section

_STYLE = """
body{font:16px/1.7 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;color:#1c2733;
margin:0 auto;max-width:60rem;padding:1rem 1.25rem 4rem;background:#fff}
h1{font-size:1.7rem}h2{margin-top:2.5rem;border-bottom:2px solid #0b6bcb;padding-bottom:.2rem}
a{color:#0b5cad}code,pre{font-family:ui-monospace,Consolas,monospace;font-size:.9em}
pre{background:#f4f6f8;padding:.75rem;overflow-x:auto;white-space:pre-wrap;word-break:break-all}
details{border:1px solid #d5dce3;border-radius:6px;margin:.5rem 0;padding:0 .9rem}
details[open]{padding-bottom:.6rem}summary{cursor:pointer;padding:.55rem 0}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #e3e8ed;padding:.3rem .5rem;
text-align:left;vertical-align:top}.m{display:inline-block;min-width:4.2rem;font-weight:600}
.get{color:#0a6b2d}.post{color:#0b5cad}.put,.patch{color:#8a5a00}.delete{color:#a3261b}
.note{background:#fff7e0;border-left:4px solid #c98a00;padding:.5rem .9rem}.dim{color:#56636f}
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def front_page(*, missing: Sequence[str]) -> str:
    """What stands at `/` until the residents' portal does."""
    return page(
        "一窗",
        "<h1>一窗 · 城乡社区服务</h1>"
        "<p>办事从这里开始：查事项、交申请、看进度、评服务，一个入口，全天受理。</p>"
        "<p>居民使用的网页正在建设中。现在可以：</p><ul>"
        '<li><a href="/docs">查看接口文档</a>，接入门户、小程序或自助终端</li>'
        '<li><a href="/openapi.json">下载 OpenAPI 文件</a>，生成客户端代码</li>'
        '<li><a href="/v1/sign-in/staff">工作人员登录</a></li></ul>' + _missing_note(missing),
    )


def documentation_page(document: Document, *, missing: Sequence[str]) -> str:
    """The reference, made of a merged OpenAPI document."""
    info = document["info"]
    groups = [
        (tag, [entry for entry in _operations(document) if tag["name"] in entry[2]["tags"]])
        for tag in document["tags"]
    ]
    contents = "".join(
        f'<li><a href="#{escape(tag["name"])}">{escape(tag["description"])}</a>'
        f' <span class="dim">{len(entries)} 个接口</span></li>'
        for tag, entries in groups
    )
    sections = "".join(
        f'<h2 id="{escape(tag["name"])}">{escape(tag["description"])}</h2>'
        + "".join(operation_section(document, *entry) for entry in entries)
        for tag, entries in groups
    )
    schemas = "".join(
        schema_section(name, schema)
        for name, schema in document["components"].get("schemas", {}).items()
    )
    return page(
        info["title"],
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        f'<p><a href="/openapi.json">openapi.json</a></p>{_missing_note(missing)}'
        f"<ul>{contents}</ul>{sections}"
        f'<h2 id="schemas">数据结构</h2>{schemas}',
    )


def _operations(document: Document) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _missing_note(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    return f'<p class="note">以下服务暂时没有响应：{escape("、".join(missing))}</p>'
