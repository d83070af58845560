"""Codes of platforms: the same number means different things, and nothing is made up."""

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from services.evaluation.codes.schemas import CodeFile
from tests.evaluation.conftest import DATA

ENTRY: dict[str, Any] = {
    "platform": "somewhere",
    "name": "某省",
    "source": "某省接口文档",
    "channels": {
        "portal": "1", "mini-program": "2", "qr-code": "3", "window": "4",
        "self-service-terminal": "5", "telephone": "6", "sms": "7", "paper": None, "default": None,
    },
    "levels": {
        "very-satisfied": "5", "satisfied": "4", "fairly-satisfied": "3", "dissatisfied": "2",
        "very-dissatisfied": "1",
    },
}  # fmt: skip


async def codes_of(evaluation, platform):
    answer = await evaluation.client.get(f"/v1/rating-codes/{platform}")
    assert answer.status_code == 200, answer.text
    return {(item["field"], item["name"]): item["code"] for item in answer.json()["items"]}


async def test_six_seven_and_one_mean_different_things(evaluation):
    standard = await codes_of(evaluation, "gb-t-39046")
    national = await codes_of(evaluation, "national-interface")
    zhejiang = await codes_of(evaluation, "zhejiang")
    assert national["channel", "telephone"] == zhejiang["channel", "sms"] == "6"
    assert national["channel", "sms"] == zhejiang["channel", "default"] == "7"
    assert standard["level", "very-satisfied"] == national["level", "very-dissatisfied"] == "1"
    assert national["channel", "paper"] is None
    unknown = await evaluation.client.get("/v1/rating-codes/nowhere")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "platform-unknown")


def test_the_file_is_whole():
    content = yaml.safe_load((DATA / "evaluation" / "codes.yaml").read_text(encoding="utf-8"))
    assert len(CodeFile.model_validate(content).platforms) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ENTRY["channels"] | {"sms": "6"}},
        {"channels": {"portal": "1"}},
        {"levels": ENTRY["levels"] | {"satisfied": "5"}},
        {"channels": ENTRY["channels"] | {"fax": "9"}},
    ],
)
def test_doubtful_tables_are_refused(change):
    with pytest.raises(ValidationError):
        CodeFile.model_validate({"platforms": [ENTRY | change]})
