"""The merged document and the pages made of it."""

from html.parser import HTMLParser

import httpx
import pytest
from openapi_spec_validator import validate

from gateway.portal.documents import Documents
from gateway.portal.merging import merge
from gateway.portal.reference import example_of, type_of
from gateway.routes import READ, Route, RouteTable, Service

SERVER = "https://yichuang.test"
TABLE = RouteTable(
    [
        Route("/v1/items", Service.catalogue),
        Route("/v1/cases", Service.requests),
        Route("/v1/scores", Service.evaluation, READ),
    ]
)


def operation(reference: str, **more) -> dict:
    schema = {"$ref": f"#/components/schemas/{reference}"}
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": "read",
        "tags": ["feature"],
        "responses": {"200": {"description": "OK", "content": content}},
        **more,
    }


def document(paths: dict, **schemas: dict) -> dict:
    return {
        "openapi": "3.1.0",
        "info": {"title": "某服务", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"HTTPBearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def merged(**documents: dict) -> dict:
    result = merge(
        {Service(name): given for name, given in documents.items()},
        TABLE,
        title="一窗",
        description="",
        server=SERVER,
    )
    validate(result)
    return result


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def page_of(name: str) -> dict:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return {"type": "object", "properties": {"items": items}}


class TestMerge:
    def test_shows_what_the_route_table_exposes_and_nothing_else(self):
        paths: dict = {
            "/v1/items": {"get": operation("Item")},
            "/v1/items/{code}": {"get": operation("Item", operationId="one")},
            "/v1/internal": {"get": operation("Secret", operationId="internal")},
            "/v1/cases": {"get": operation("Secret", operationId="someone-else-s")},
            "/livez": {"get": operation("Item", operationId="livez")},
        }
        paths["/v1/items/{code}"]["parameters"] = [
            {"name": "code", "in": "path", "required": True, "schema": TEXT}
        ]
        result = merged(catalogue=document(paths, Item=TEXT, Secret=NUMBER))
        assert list(result["paths"]) == ["/v1/items", "/v1/items/{code}"]
        assert set(result["components"]["schemas"]) == {"Item", "Problem"}

    def test_leaves_out_methods_the_gateway_does_not_let_through(self):
        paths = {
            "/v1/scores": {"get": operation("A"), "post": operation("A", operationId="recount")}
        }
        result = merged(evaluation=document(paths, A=TEXT))
        assert set(result["paths"]["/v1/scores"]) == {"get"}

    def test_tags_by_service(self):
        result = merged(catalogue=document({"/v1/items": {"get": operation("A")}}, A=TEXT))
        assert result["tags"] == [{"name": "catalogue", "description": "某服务"}]
        assert result["paths"]["/v1/items"]["get"]["tags"] == ["catalogue"]

    def test_an_absent_service_is_simply_not_there(self):
        assert merged()["paths"] == {}

    def test_equal_components_are_shared(self):
        result = merged(
            catalogue=document({"/v1/items": {"get": operation("Head")}}, Head=TEXT),
            requests=document({"/v1/cases": {"get": operation("Head")}}, Head=TEXT),
        )
        assert set(result["components"]["schemas"]) == {"Head", "Problem"}

    def test_different_ones_of_one_name_are_told_apart(self):
        result = merged(
            catalogue=document({"/v1/items": {"get": operation("Head")}}, Head=TEXT),
            requests=document({"/v1/cases": {"get": operation("Head")}}, Head=NUMBER),
        )
        schemas = result["components"]["schemas"]
        assert (schemas["Head"], schemas["requests_Head"]) == (TEXT, NUMBER)
        answer = result["paths"]["/v1/cases"]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/requests_Head"}

    def test_equal_ones_that_refer_to_different_ones_are_told_apart_too(self):
        result = merged(
            catalogue=document(
                {"/v1/items": {"get": operation("Page")}}, Page=page_of("Head"), Head=TEXT
            ),
            requests=document(
                {"/v1/cases": {"get": operation("Page")}}, Page=page_of("Head"), Head=NUMBER
            ),
        )
        schemas = result["components"]["schemas"]
        assert {"Page", "Head", "requests_Page", "requests_Head"} < set(schemas)
        assert schemas["requests_Page"] == page_of("requests_Head")
        assert schemas["Page"] == page_of("Head")

    def test_operation_names_are_unique(self):
        result = merged(
            catalogue=document({"/v1/items": {"get": operation("A")}}, A=TEXT),
            requests=document({"/v1/cases": {"get": operation("A")}}, A=TEXT),
        )
        assert result["paths"]["/v1/items"]["get"]["operationId"] == "read"
        assert result["paths"]["/v1/cases"]["get"]["operationId"] == "requests_read"

    def test_every_endpoint_says_how_it_refuses(self):
        framework = operation("HTTPValidationError")["responses"]["200"]
        read = operation("A")
        read["responses"]["422"] = framework
        given = document({"/v1/items": {"get": read}}, A=TEXT, HTTPValidationError=TEXT)
        result = merged(catalogue=given)
        responses = result["paths"]["/v1/items"]["get"]["responses"]
        for status in ("422", "default"):
            schema = responses[status]["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
        assert "HTTPValidationError" not in result["components"]["schemas"]

    def test_leaves_its_input_as_it_was(self):
        given = document({"/v1/items": {"get": operation("A")}}, A=TEXT)
        merged(catalogue=given)
        assert given == document({"/v1/items": {"get": operation("A")}}, A=TEXT)


class TestReference:
    def test_examples_follow_references_and_stop_at_circles(self):
        circle: dict = {"type": "object", "required": ["child"], "properties": {}}
        circle["properties"] = {"child": {"$ref": "#/components/schemas/Circle"}}
        example = example_of(document({}, Circle=circle), circle)
        assert example["child"]["child"]

    def test_examples_prefer_what_the_author_gave(self):
        assert example_of({}, {"type": "string", "examples": ["低保"]}) == "低保"
        assert example_of({}, {"enum": ["portal", "window"]}) == "portal"
        assert example_of({}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}) == 1

    def test_nothing_of_a_schema_becomes_markup(self):
        for schema in (
            {"enum": ["<script>"]},
            {"type": "<script>"},
            {"pattern": "<script>", "type": "string"},
            {"$ref": "#/components/schemas/<script>"},
            {"const": "<script>"},
        ):
            assert "<script>" not in type_of(schema)


class LinkChecker(HTMLParser):
    """Collects ids, links, and everything that would be fetched or run."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        if "id" in values:
            assert values["id"] not in self.ids
            self.ids.add(values["id"])
        self.links.update(values[name] for name in ("href", "src") if name in values)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(page: str) -> LinkChecker:
    checker = LinkChecker()
    checker.feed(page)
    assert checker.open == []
    assert not checker.tags & {"script", "iframe", "img", "link", "object"}
    assert all(link.startswith(("/", "#")) for link in checker.links)
    assert {link[1:] for link in checker.links if link.startswith("#")} <= checker.ids
    return checker


class TestDocuments:
    ADDRESSES = {Service.catalogue: "http://catalogue", Service.requests: "http://requests"}  # noqa: RUF012

    def own(self) -> dict:
        return document({})

    def client(self, answers: dict[str, httpx.Response]) -> httpx.AsyncClient:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.host not in answers:
                raise httpx.ConnectError("refused")
            return answers[request.url.host]

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    async def test_an_absent_service_is_named_and_what_was_seen_stays(self):
        documents = Documents(self.own(), self.ADDRESSES, TABLE, server=SERVER)
        given = document({"/v1/items": {"get": operation("A")}}, A=TEXT)
        async with self.client({"catalogue": httpx.Response(200, json=given)}) as client:
            await documents.refresh(client)
        assert documents.missing == ["requests"]
        assert "以下服务暂时没有响应：requests" in documents.documentation.decode()
        assert b"/v1/items" in documents.openapi
        async with self.client({}) as client:
            await documents.refresh(client)
        assert b"/v1/items" in documents.openapi

    @pytest.mark.parametrize("response", [
        httpx.Response(500), httpx.Response(200, text="<html>"), httpx.Response(200, json=[]),
    ])  # fmt: skip
    async def test_nonsense_counts_as_absent(self, response):
        documents = Documents(self.own(), self.ADDRESSES, TABLE, server=SERVER)
        async with self.client({"catalogue": response}) as client:
            await documents.refresh(client)
        assert documents.missing == ["catalogue", "requests"]

    async def test_the_page_is_whole_and_needs_nothing_from_elsewhere(self):
        documents = Documents(self.own(), self.ADDRESSES, TABLE, server=SERVER)
        nasty = operation("A", description="<b>低保</b> & 其他", operationId='x"y')
        given = document({"/v1/items": {"get": nasty, "post": operation("Page")}},
                         A=TEXT, Page=page_of("A"))  # fmt: skip
        async with self.client({"catalogue": httpx.Response(200, json=given)}) as client:
            await documents.refresh(client)
        page = documents.documentation.decode()
        assert "&lt;b&gt;低保&lt;/b&gt; &amp; 其他" in page
        assert f"curl -X POST &#x27;{SERVER}/v1/items&#x27;" in page
        assert {"schema-A", "schema-Page", "catalogue"} <= checked(page).ids


class TestServed:
    async def test_openapi_has_our_own_endpoints_and_is_valid(self, gateway):
        answer = await gateway.client.get("/openapi.json")
        assert answer.headers["Content-Type"] == "application/json"
        validate(answer.json())
        assert {
            "/v1/sign-in/codes",
            "/v1/sign-in/residents",
            "/v1/sign-in/staff",
            "/v1/sign-in/staff/callback",
            "/v1/tokens/refresh",
            "/v1/sign-out",
            "/v1/me",
            "/v1/me/proofs",
        } == set(answer.json()["paths"])

    @pytest.mark.parametrize("path", ["/", "/docs"])
    async def test_pages_are_whole_and_safe(self, gateway, path):
        answer = await gateway.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        checked(answer.text)

    async def test_an_unchanged_page_is_not_sent_again(self, gateway):
        first = await gateway.client.get("/docs")
        headers = {"If-None-Match": first.headers["ETag"]}
        again = await gateway.client.get("/docs", headers=headers)
        assert (again.status_code, again.content) == (304, b"")

    async def test_head_has_no_body(self, gateway):
        answer = await gateway.client.head("/openapi.json")
        assert (answer.status_code, answer.content) == (200, b"")

    @pytest.mark.parametrize("path", ["/livez", "/readyz"])
    async def test_health_answers(self, gateway, path):
        assert (await gateway.client.get(path)).status_code == 200

    @pytest.mark.parametrize("path", ["/docs/x", "/openapi.json/x", "/v1/me/x", "/.well-known/x"])
    async def test_below_our_paths_is_nothing(self, gateway, path):
        tokens = await gateway.sign_in()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        answer = await gateway.client.get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not-found"

    @pytest.mark.parametrize(
        ("content", "kind", "status", "code"),
        [
            (b"{", "application/json", 400, "malformed-json"),
            (b"phone=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
            (b"x" * 5000, "application/json", 413, "body-too-large"),
            (b'{"phone": "13700000001", "x": 1}', "application/json", 422, "invalid-request"),
        ],
    )
    async def test_bad_bodies_are_problems_and_change_nothing(
        self, gateway, content, kind, status, code
    ):
        answer = await gateway.client.post(
            "/v1/sign-in/codes", content=content, headers={"Content-Type": kind}
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["instance"] == answer.headers["X-Request-Id"]
        assert await gateway.count("sign_in_code") == 0
