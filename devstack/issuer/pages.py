"""The sign-in page: everybody as a button."""

from collections.abc import Iterable, Mapping
from html import escape

from devstack.issuer.staff import Staff

_STYLE = """
body { font-family: sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
button { display: block; width: 100%; margin: .4rem 0; padding: .7rem; text-align: left;
         font-size: 1rem; cursor: pointer }
small { color: #555 }
"""


def sign_in(staff: Iterable[Staff], parameters: Mapping[str, str]) -> str:
    """A form that posts the chosen `username` beside the request's own parameters."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters.items()
    )
    buttons = "".join(
        f'<button name="username" value="{escape(person.username)}">'
        f"{escape(person.name)}　{escape(person.post)}<br>"
        f"<small>{escape('、'.join(person.roles))}　{escape(person.unit or person.division)}"
        "</small></button>"
        for person in staff
    )
    return _page(
        "选择工作人员",
        "<p>开发环境：不需要密码，点选即可登录。</p>"
        f'<form method="post" action="/authorize">{hidden}{buttons}</form>',
    )


def refusal(reason: str) -> str:
    return _page("无法登录", f"<p>{escape(reason)}</p>")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
