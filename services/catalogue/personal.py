"""What looks like somebody's own data has no place in catalogues, reports and counts of searches."""

import re
from typing import Annotated

from pydantic import AfterValidator

from services.catalogue.items.texts import Line

#: A telephone, an identity number, a bank account: any run of six digits or more, however spaced.
_NUMBER = re.compile(r"(?:[0-9０-９][\s\-－]*){6,}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+|[0-9]+\s*(?:号楼|单元|室|幢|栋)")


def looks_personal(text: str) -> bool:
    """Whether a text holds a number or an address that may be somebody's."""
    return bool(_NUMBER.search(text) or _ADDRESS.search(text))


#: 百家姓 by frequency: the family names of most people. Source: 公安部 2020年全国姓名报告.
_FAMILY_NAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁"
)


def looks_like_a_name(text: str) -> bool:
    """Whether two or three characters may be somebody's name: better a wish lost than a name told."""
    return 2 <= len(text) <= 3 and text[0] in _FAMILY_NAMES


def _impersonal(text: str) -> str:
    if looks_personal(text):
        raise ValueError("不要写个人的号码、地址")
    return text


ImpersonalLine = Annotated[Line, AfterValidator(_impersonal)]
