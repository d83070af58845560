"""The client towards the services, against services that speak HTTP well, badly, or not at all."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.answer import BrokeOff, NotReached
from gateway.problems import RequestUnreadable
from gateway.routes import Service
from gateway.upstream import Pool, Upstream, UpstreamRequest
from gateway.wire import READ_AHEAD_BYTES
from tests.gateway.servers import serve_raw, until

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def request(method="GET", target=b"/v1/items", *, seconds=5.0, headers=(), length=None):
    return UpstreamRequest(Service.catalogue, method, target, list(headers), seconds, length)


class Speaker:
    """Answers every request with the next of its texts, and counts connections."""

    def __init__(self, *answers: bytes, closes: bool = False) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.heads: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def upstream_to(address: str, **options):
    upstream = Upstream({Service.catalogue: address}, **options)
    try:
        yield upstream
    finally:
        upstream.close()
        pool = upstream._pools[Service.catalogue]
        await until(lambda: not pool._all)


@asynccontextmanager
async def speaking(speaker):
    async with serve_raw(speaker) as address, upstream_to(address) as upstream:
        yield upstream


async def read(upstream: Upstream, method: str = "GET", **options) -> tuple[int, bytes]:
    answer = await upstream.send(request(method, **options), b"")
    return answer.status, await answer.read()


class TestAnswers:
    async def test_one_connection_serves_one_after_another(self):
        speaker = Speaker(OK, OK, OK)
        async with speaking(speaker) as upstream:
            for _ in range(3):
                assert await read(upstream) == (200, b"ok")
        assert speaker.connections == 1

    async def test_what_is_said_on_the_way_is_not_the_answer(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
        async with speaking(Speaker(hints + OK)) as upstream:
            answer = await upstream.send(request(), b"")
            assert answer.status == 200
            assert answer.raw_headers == [(b"content-length", b"2")]

    async def test_chunks_are_joined(self):
        chunked = (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        )
        async with speaking(Speaker(chunked, OK)) as upstream:
            assert await read(upstream) == (200, b"abc")
            assert await read(upstream) == (200, b"ok")

    async def test_a_body_may_end_with_the_connection(self):
        speaker = Speaker(b"HTTP/1.0 200 OK\r\n\r\nall of it", closes=True)
        async with speaking(speaker) as upstream:
            assert await read(upstream) == (200, b"all of it")

    @pytest.mark.parametrize(
        ("method", "status"), [("HEAD", b"200 OK"), ("GET", b"304 Not Modified")]
    )
    async def test_a_described_body_does_not_come(self, method, status):
        described = b"HTTP/1.1 %b\r\ncontent-length: 999\r\n\r\n" % status
        speaker = Speaker(described, OK)
        async with speaking(speaker) as upstream:
            assert (await read(upstream, method))[1] == b""
            assert await read(upstream) == (200, b"ok")
        assert speaker.connections == 1

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_more_than_was_asked_for_reaches_nobody(self, method):
        """A second answer, sent with the first, must not become the next caller's."""
        foreign = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
        first = OK if method == "GET" else OK.removesuffix(b"ok")
        speaker = Speaker(first + foreign, OK)
        async with speaking(speaker) as upstream:
            await read(upstream, method)
            assert await read(upstream) == (200, b"ok")
        assert speaker.connections == 2

    async def test_nor_what_comes_when_nobody_asked(self):
        late = asyncio.Event()

        async def talkative(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await late.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
            await reader.read()
            writer.close()

        async with speaking(talkative) as upstream:
            pool = upstream._pools[Service.catalogue]
            await read(upstream)
            assert len(pool._idle) == 1
            late.set()
            await until(lambda: not pool._all)

    async def test_one_that_says_close_is_not_used_again(self):
        closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
        speaker = Speaker(closing, OK)
        async with speaking(speaker) as upstream:
            assert await read(upstream) == (200, b"ok")
            assert await read(upstream) == (200, b"ok")
        assert speaker.connections == 2

    @pytest.mark.parametrize(
        "nonsense",
        [
            b"SMTP ready\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        ],
    )
    async def test_what_is_not_an_answer_is_refused(self, nonsense):
        async with speaking(Speaker(nonsense)) as upstream:
            with pytest.raises(BrokeOff):
                await upstream.send(request(), b"")


class TestTime:
    async def test_a_short_patience_after_a_long_one(self):
        """The timer of the first exchange would ring much too late for the second."""
        async with speaking(Speaker(OK, b"")) as upstream:
            assert await read(upstream, seconds=600.0) == (200, b"ok")
            with pytest.raises(TimeoutError):
                await upstream.send(request(seconds=0.05), b"")

    async def test_a_long_patience_after_a_short_one(self):
        async def slow(reader, writer):
            for seconds in (0, 0.15):
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(seconds)
                writer.write(OK)
            writer.close()

        async with speaking(slow) as upstream:
            await read(upstream, seconds=0.1)
            assert await read(upstream, seconds=5.0) == (200, b"ok")

    async def test_silence_inside_the_answer(self):
        half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
        async with speaking(Speaker(half)) as upstream:
            answer = await upstream.send(request(seconds=0.05), b"")
            with pytest.raises(TimeoutError):
                await answer.read()

    async def test_a_body_without_end_is_not_taken_for_whole_when_it_stalls(self):
        async with speaking(Speaker(b"HTTP/1.0 200 OK\r\n\r\nhalf")) as upstream:
            answer = await upstream.send(request(seconds=0.05), b"")
            with pytest.raises(TimeoutError):
                await answer.read()


class TestPressure:
    async def test_a_slow_reader_makes_the_service_wait(self):
        sent = 0

        async def fast(reader, writer):
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
            try:
                for _ in range(500):
                    writer.write(b"x" * 100_000)
                    await writer.drain()
                    sent += 100_000
            except ConnectionError:
                pass
            finally:
                writer.close()

        async with speaking(fast) as upstream:
            answer = await upstream.send(request(seconds=0.1), b"")
            await until(lambda: answer.waiting_bytes > READ_AHEAD_BYTES)
            before = -1
            while before != sent:  # until the service stands still
                before = sent
                await asyncio.sleep(0.15)  # longer than its patience: waiting is not silence
            assert answer.waiting_bytes < READ_AHEAD_BYTES + 1_000_000
            assert sent < 50_000_000
            assert len(await answer.read()) == 50_000_000

    async def test_a_slow_service_makes_the_caller_wait(self):
        given = 0

        async def endless(clock):
            nonlocal given
            while True:
                given += 100_000
                yield b"x" * 100_000

        async def deaf(reader, writer):
            await asyncio.sleep(0.3)
            writer.close()

        async with speaking(deaf) as upstream:
            with pytest.raises((TimeoutError, BrokeOff)):
                await upstream.send(request("POST", seconds=0.2), endless)
            assert given < 30_000_000

    async def test_a_body_in_parts_is_framed(self):
        taken = bytearray()

        async def service(reader, writer):
            while not taken.endswith(b"0\r\n\r\n"):
                taken.extend(await reader.read(1000))
            writer.write(OK)
            writer.close()

        async def parts(clock):
            for part in (b"ab", b"", b"c" * 17):
                yield part

        async with speaking(service) as upstream:
            assert (await upstream.send(request("POST"), parts)).status == 200
        assert taken.endswith(b"\r\n\r\n2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n")

    async def test_an_answer_before_the_body_is_read_ends_the_connection(self):
        refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n"
        speaker = Speaker(refusal, OK)
        going_on = asyncio.Event()

        async def parts(clock):
            yield b"x"
            await going_on.wait()

        async with speaking(speaker) as upstream:
            answer = await upstream.send(request("POST", length=100), parts)
            assert (answer.status, await answer.read()) == (413, b"")
            assert await read(upstream) == (200, b"ok")
        assert speaker.connections == 2


class TestRequests:
    async def test_a_line_end_makes_no_second_header(self):
        async with speaking(Speaker(OK)) as upstream:
            for name, value in [(b"x", b"1\r\ny: 2"), (b"x", b"1\ny: 2"), (b"x\r", b"1")]:
                with pytest.raises(RequestUnreadable):
                    await upstream.send(request(headers=[(name, value)]), b"")

    @pytest.mark.parametrize(
        ("method", "body", "says"),
        [("POST", b"", b"0"), ("PUT", b"ab", b"2"), ("GET", b"", None), ("DELETE", b"", None)],
    )
    async def test_a_length_is_told_where_one_is_expected(self, method, body, says):
        speaker = Speaker(OK)
        async with speaking(speaker) as upstream:
            await (await upstream.send(request(method), body)).read()
        line = b"content-length: %b\r\n" % says if says else b"content-length"
        assert (line in speaker.heads[0]) is (says is not None)


class TestPool:
    async def test_an_old_connection_is_not_used(self):
        speaker = Speaker(OK, OK)
        async with speaking(speaker) as upstream:
            pool = upstream._pools[Service.catalogue]
            pool._keepalive_seconds = 0.0
            await read(upstream)
            await asyncio.sleep(0.01)
            await read(upstream)
        assert speaker.connections == 2

    async def test_waits_for_one_to_come_back(self):
        async with serve_raw(Speaker(OK)) as address:
            pool = Pool(address, limit=1)
            held = await pool.acquire(1.0)
            waiting = [asyncio.create_task(pool.acquire(5.0)) for _ in range(2)]
            with pytest.raises(TimeoutError):
                await pool.acquire(0.02)
            waiting[0].cancel()
            held.idle_since = asyncio.get_running_loop().time()
            pool.take_back(held)
            assert await waiting[1] is held
            pool.close()
            await until(lambda: not pool._all)

    async def test_a_lost_one_makes_room(self):
        async with serve_raw(Speaker(OK, OK)) as address:
            pool = Pool(address, limit=1)
            held = await pool.acquire(1.0)
            waiting = asyncio.create_task(pool.acquire(5.0))
            held.abort()
            assert await waiting is not held
            pool.close()
            await until(lambda: not pool._all)

    async def test_nobody_there(self):
        async with serve_raw(Speaker()) as address:
            pass
        async with upstream_to(address) as upstream:
            with pytest.raises(NotReached):
                await upstream.send(request(), b"")


class TestTls:
    """A service behind https must prove itself."""

    @pytest.fixture
    def certificate(self, tmp_path):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "service")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / "service.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return path

    @asynccontextmanager
    async def secured(self, certificate, trust=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = await asyncio.start_server(Speaker(OK), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server, upstream_to(f"https://127.0.0.1:{port}", trust=trust) as upstream:
            yield upstream

    async def test_one_we_trust_is_answered_by(self, certificate):
        trust = ssl.create_default_context(cafile=certificate)
        async with self.secured(certificate, trust) as upstream:
            assert await read(upstream) == (200, b"ok")

    async def test_a_stranger_is_not_reached(self, certificate):
        async with self.secured(certificate) as upstream:
            with pytest.raises(NotReached):
                await upstream.send(request(), b"")
