"""What of a request's headers passes, what is replaced, and what the answer carries."""

import re

import pytest

from gateway.headers import answer_headers, new_traceparent, read_head
from gateway.problems import RequestUnreadable

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class TestReadHead:
    def test_end_to_end_headers_pass_unchanged(self):
        head = read_head(
            [(b"accept", b"application/json"), (b"if-match", b'"3"'), (b"x-name", "王".encode())]
        )
        assert head.passed == [
            (b"accept", b"application/json"),
            (b"if-match", b'"3"'),
            (b"x-name", "王".encode()),
        ]

    def test_hop_by_hop_and_nominated_headers_stop(self):
        head = read_head(
            [
                (b"connection", b"close, X-Secret"),
                (b"x-secret", b"1"),
                (b"keep-alive", b"5"),
                (b"te", b"trailers"),
                (b"upgrade", b"h2c"),
                (b"transfer-encoding", b"chunked"),
                (b"proxy-authorization", b"x"),
                (b"accept", b"*/*"),
            ]
        )
        assert head.passed == [(b"accept", b"*/*")]
        assert head.has_body

    def test_what_only_we_may_say_stops(self):
        names = (b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"x-real-ip", b"cookie")
        head = read_head([(name, b"10.0.0.1") for name in (*names, b"host", b"x-request-id")])
        assert head.passed == []

    def test_a_usable_request_id_is_kept(self):
        assert read_head([(b"x-request-id", b"abcd-1234")]).request_id == "abcd-1234"

    @pytest.mark.parametrize("offered", [b"short", b"x" * 65, b"has space in it", b"evil\xff12345"])
    def test_an_unusable_request_id_is_replaced(self, offered):
        made = read_head([(b"x-request-id", offered)]).request_id
        assert re.fullmatch(r"[0-9a-f-]{36}", made)

    def test_traceparent_is_kept_only_when_well_formed(self):
        assert read_head([(b"traceparent", TRACE)]).traceparent == TRACE.decode()
        assert read_head([(b"traceparent", b"00-" + b"0" * 32 + TRACE[35:])]).traceparent is None

    @pytest.mark.parametrize("lengths", [[b"1", b"2"], [b"-1"], [b"+5"], [b"1, 1"], [b""]])
    def test_doubtful_lengths_are_refused(self, lengths):
        with pytest.raises(RequestUnreadable):
            read_head([(b"content-length", length) for length in lengths])

    def test_zero_length_is_no_body(self):
        assert not read_head([(b"content-length", b"0")]).has_body


class TestAnswerHeaders:
    def answer(self, *headers, no_store=False, bodyless=False):
        return dict(
            answer_headers(
                headers,
                request_id="request-1",
                added=[(b"x-frame-options", b"DENY")],
                no_store=no_store,
                bodyless=bodyless,
            )
        )

    def test_ours_replace_the_service_s(self):
        answer = self.answer(
            (b"X-Request-Id", b"theirs"), (b"X-Frame-Options", b"SAMEORIGIN"), (b"ETag", b'"1"')
        )
        assert answer == {
            b"x-frame-options": b"DENY",
            b"x-request-id": b"request-1",
            b"etag": b'"1"',
        }

    def test_the_connection_s_own_headers_stop(self):
        answer = self.answer((b"Transfer-Encoding", b"chunked"), (b"Connection", b"close"))
        assert set(answer) == {b"x-frame-options", b"x-request-id"}

    def test_a_service_s_cache_control_wins(self):
        assert self.answer(no_store=True)[b"cache-control"] == b"no-store"
        kept = self.answer((b"Cache-Control", b"max-age=5"), no_store=True)
        assert kept[b"cache-control"] == b"max-age=5"

    def test_no_length_where_no_body_follows(self):
        assert b"content-length" in self.answer((b"Content-Length", b"9"))
        assert b"content-length" not in self.answer((b"Content-Length", b"9"), bodyless=True)


class TestNewTraceparent:
    def test_is_well_formed_and_sampled_by_ratio(self):
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", new_traceparent(1.0))
        assert new_traceparent(0.0).endswith("-00")
