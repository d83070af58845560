"""What the gateway costs, against nginx forwarding to the same service.

`python -m bench.gateway` puts nginx as a service that answers at once behind nginx as a proxy and
behind one gateway process (token checked from its cache, limits and metrics on), and lets wrk ask
both. It needs `nginx` and `wrk` (Debian packages nginx-light and wrk).
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bench.harness import Figure, cpu_seconds, show
from devstack.ports import pick_free_port, pick_free_ports
from devstack.stack import Stack
from tests.faults.citizens import Citizens

RATES = json.dumps(dict.fromkeys(("read", "write", "verification"), "10000000/10000000"))
MEBIBYTE = 1024 * 1024
#: A route that is public, so that the same path is asked with and without a token.
SMALL, LARGE = "/v1/items/small", "/v1/items/large"
NGINX = """\
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  upstream service {{ server 127.0.0.1:{service}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{service};
    location = {small} {{ default_type application/json; return 200 '{answer}'; }}
    location = {large} {{ default_type application/json; alias {directory}/large; }}
  }}
  server {{
    listen 127.0.0.1:{proxy};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering on; proxy_buffers 64 32k; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""
ANSWER = json.dumps({"id": str(uuid4()), "name": "困难残疾人生活补贴", "score": None})


@contextmanager
def nginx(directory: Path, service: int, proxy: int) -> Iterator["subprocess.Popen[bytes]"]:
    """nginx as a service and as a proxy before it."""
    (directory / "large").write_bytes(b"x" * MEBIBYTE)
    configuration = directory / "nginx.conf"
    configuration.write_text(
        NGINX.format(
            directory=directory, service=service, proxy=proxy, small=SMALL, large=LARGE,
            answer=ANSWER,
        )
    )  # fmt: skip
    directory.chmod(0o755)
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(configuration)])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wrk(url: str, *, seconds: int, clients: int, headers: dict[str, str]) -> float:
    """Answers a second.

    Raises:
        RuntimeError: some were refused.
    """
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{url}: {said}")
    return float(rate[1])


async def measure(arguments: argparse.Namespace) -> list[Figure]:
    figures: dict[str, Figure] = {}

    def add(name: str, unit: str, value: float, mark: str = "") -> None:
        figures.setdefault(name, Figure(name, unit, mark=mark)).values.append(value)

    with tempfile.TemporaryDirectory() as held:
        directory = Path(held)
        service, proxy, ports = pick_free_port(), pick_free_port(), pick_free_ports()
        overrides = {
            "gateway": {"CATALOGUE_URL": f"http://127.0.0.1:{service}", "RATE_LIMITS": RATES}
        }
        with nginx(directory, service, proxy):
            async with Stack(
                directory / "stack", ports, log_level="error", overrides=overrides
            ) as stack:
                for name in stack.supervisor.names:
                    if name != "gateway.api":
                        await stack.supervisor.stop(name)
                await asyncio.to_thread(stack.broker.stop)
                citizens = Citizens(stack)
                token = citizens.headers(uuid4())
                await citizens.close()
                pid = stack.supervisor.pid("gateway.api")
                assert pid is not None
                through_nginx = f"http://127.0.0.1:{proxy}"
                for _ in range(arguments.rounds):
                    for path, what in ((SMALL, "small GET"), (LARGE, "1 MiB GET")):
                        rates = {}
                        for name, base, headers in (
                            ("nginx", through_nginx, {}),
                            ("gateway, signed in", stack.gateway_url, token),
                            ("gateway, from memory", stack.gateway_url, {}),
                        ):
                            if path == LARGE and name == "gateway, from memory":
                                continue  # too large to be kept
                            before = cpu_seconds(pid)
                            rates[name] = await asyncio.to_thread(
                                wrk,
                                base + path,
                                seconds=arguments.seconds,
                                clients=arguments.clients,
                                headers=headers,
                            )
                            add(f"{what}: {name}", "1/s", rates[name])
                            if name != "nginx":
                                spent = cpu_seconds(pid) - before
                                each = spent / (rates[name] * arguments.seconds) * 1e6
                                add(f"{what}: {name}, CPU", "µs", each)
                        signed_in = rates["gateway, signed in"] / rates["nginx"]
                        mark = ">= 0.15" if path == SMALL else ""
                        add(f"{what}: gateway ÷ nginx", "", signed_in, mark)
                        if path == SMALL:
                            kept = rates["gateway, from memory"] / rates["nginx"]
                            add(f"{what}: from memory ÷ nginx", "", kept, ">= 0.4")
    return list(figures.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--clients", type=int, default=32)
    arguments = parser.parse_args()
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing:
        sys.exit(
            f"bench.gateway needs {' and '.join(missing)} (Debian: apt install nginx-light wrk)"
        )
    figures = asyncio.run(measure(arguments))
    show(f"Gateway: {arguments.clients} connections, one process each", figures)


if __name__ == "__main__":
    main()
