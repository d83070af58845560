"""Versions: what a caller has read is what they may change."""

import pytest
from starlette.requests import Request

from servicekit.etags import etag, is_unchanged
from tests.support.tokens import resident


@pytest.fixture
async def path(sample):
    created = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
    return created.headers["location"]


class TestIfMatch:
    @pytest.mark.parametrize(
        "value", ["1", '"one"', 'W/"1"', "*", '"1", "2"', '"-1"', '""', "", '"1234567890"', '"１"']
    )
    async def test_a_malformed_one_is_refused_and_nothing_changed(self, sample, path, value):
        answer = await sample.client.patch(
            path,
            json={"title": "二"},
            headers=[(b"If-Match", value.encode())],
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "version-malformed")
        assert (await sample.client.get(path)).json()["title"] == "一"

    async def test_the_version_read_may_be_changed_once(self, sample, path):
        headers = {"If-Match": (await sample.client.get(path)).headers["etag"]}
        first, second = [
            await sample.client.patch(path, json={"title": "二"}, headers=headers) for _ in range(2)
        ]
        assert (first.status_code, first.json()["version"]) == (200, 2)
        assert (second.status_code, second.json()["code"]) == (409, "stale-version")

    async def test_spaces_around_it_do_no_harm(self, sample, path):
        answer = await sample.client.patch(
            path, json={"title": "二"}, headers={"If-Match": ' "1" '}
        )
        assert answer.status_code == 200


class TestIfNoneMatch:
    @pytest.mark.parametrize(
        ("offered", "unchanged"),
        [(None, False), ('"3"', True), ('"2", "3"', True), ('"2"', False), ("3", False)],
    )
    def test_tells_whether_the_reader_has_it(self, offered, unchanged):
        headers = [] if offered is None else [(b"if-none-match", offered.encode())]
        request = Request({"type": "http", "headers": headers})
        assert is_unchanged(request, etag(3)) is unchanged


def test_the_document_names_the_header(sample):
    document = sample.app.openapi()
    patch = document["paths"]["/v1/notes/{note_id}"]["patch"]
    assert "If-Match" in [each["name"] for each in patch["parameters"]]
