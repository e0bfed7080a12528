"""Compare proxies under the load of a class, and after kill -9.

Run it with `make bench-proxy`. The last line is one JSON object. CPU seconds, memory
and ratios are comparable between machines; milliseconds only on an idle one.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "lib")]

import httpx  # noqa: E402 - the path above comes first
from candidates import Candidate, Kept, Site, candidates, start_hub  # noqa: E402
from death import Outage, outage  # noqa: E402
from learners import flood_of_files, flood_of_messages, steady  # noqa: E402
from usage import cpu_s, pss_mb  # noqa: E402

PATIENCE_S = 120
AT_ONCE = 20
"""Labs that are started at the same time."""
CORES = sorted(os.sched_getaffinity(0))
LOAD, PROXY = {CORES[0]}, {CORES[-1]}
"""The load has a core of its own, so that it does not slow what it measures."""


@contextmanager
def backends(count: int) -> Iterator[dict[str, int]]:
    """Run the learners' servers; yield their ports by name."""
    command = [sys.executable, str(HERE / "backends.py"), str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        os.sched_setaffinity(process.pid, LOAD)
        ports = json.loads(process.stdout.readline())
        yield {f"learner-{number:03}": port for number, port in enumerate(ports, start=1)}
        process.stdin.close()


@contextmanager
def running(
    candidate: Candidate, labs: dict[str, int]
) -> Iterator[tuple[Site, Kept, "subprocess.Popen[bytes]"]]:
    """Run one proxy and its hub."""
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as name:
        site = Site(Path(name), labs, candidate.host_routing)
        proxy = Kept(candidate.command(site), site, PROXY)
        hub = start_hub(candidate, site, LOAD)
        try:
            yield site, proxy, hub
        except Exception:
            for log in ("hub.log", "proxy.log"):
                sys.stderr.write((site.folder / log).read_text()[-1000:])
            raise
        finally:
            hub.terminate()
            hub.wait(30)
            proxy.end()


def open_labs(site: Site, used: Callable[[], tuple[float, float]]) -> dict[str, float]:
    """Start every learner's lab as the hub knows it; return what its route cost hub and proxy."""
    headers = {"Authorization": f"token {site.token}"}
    api = f"http://127.0.0.1:{site.hub_port}/hub/api/"
    with httpx.Client(base_url=api, headers=headers, trust_env=False, timeout=60) as hub:
        wait_until(lambda: answers(hub))
        hub.post("users", json={"usernames": list(site.labs)}).raise_for_status()
        before, begun = used(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(lambda name: hub.post(f"users/{name}/server"), site.labs):
                answer.raise_for_status()
        wait_until(lambda: len(hub.get("proxy", params={"limit": 999}).json()) > len(site.labs))
        took = time.monotonic() - begun
        hub_s, proxy_s = (per(b - a, len(site.labs)) for a, b in zip(before, used(), strict=True))
    return {"hub_cpu_s_per_lab": hub_s, "proxy_cpu_s_per_lab": proxy_s, "open_s": round(took, 1)}


def answers(hub: httpx.Client) -> bool:
    """Say whether the hub is there."""
    try:
        return hub.get("health").is_success
    except httpx.TransportError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)


def under_load(addresses: dict[str, str], seconds: float, pid: int = 0) -> dict[str, Any]:
    """Return the delays and what the proxy used for them; without a proxy, the delays alone."""
    used = (lambda: cpu_s(pid)) if pid else (lambda: 0.0)
    begun, before = time.monotonic(), used()
    work = asyncio.run(steady(addresses, seconds))
    after, spent = used(), time.monotonic() - begun
    talk = asyncio.run(flood_of_messages(addresses, seconds / 2))
    said = used()
    files = asyncio.run(flood_of_files(addresses, seconds / 2))
    found = {
        "message_ms": percentiles(work.message_ms),
        "file_ms_per_mb": percentiles(work.file_ms),
        "steady_cpu_share": round((after - before) / spent, 3),
        "messages_per_s": round(len(talk.message_ms) / seconds * 2),
        "cpu_s_per_1000_messages": per(said - after, len(talk.message_ms) / 1000),
        "mb_per_s": round(files.bytes / 1e6 / seconds * 2),
        "cpu_s_per_gb": per(used() - said, files.bytes / 1e9),
        "failures": sum(part.failures for part in (work, talk, files)),
    }
    return found | ({"pss_mb": round(pss_mb(pid))} if pid else {})


def per(amount: float, of: float) -> float:
    return round(amount / of, 3) if of else 0.0


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99."""
    cuts = quantiles(values, n=100)
    return {f"p{n}": round(cuts[n - 1], 2) for n in (50, 95, 99)}


def told(found: Outage, learners: int) -> dict[str, Any]:
    """Return an outage in figures."""
    return {
        kind: {
            "back": len(times),
            "of": learners,
            "max_s": round(max(times.values(), default=0), 2),
        }
        for kind, times in (
            ("routes", found.routes_s),
            ("kernels", found.kernels_s),
            ("noticed", found.noticed_s),
        )
    } | {"seen": dict(found.seen)}


def measure(candidate: Candidate, labs: dict[str, int], wish: argparse.Namespace) -> dict[str, Any]:
    """Return everything about one proxy."""
    with running(candidate, labs) as (site, proxy, hub):
        pid = proxy.process.pid
        found: dict[str, Any] = {**open_labs(site, lambda: (cpu_s(hub.pid), cpu_s(pid)))}
        found["pss_mb_idle"] = round(pss_mb(pid))
        addresses = {name: site.address(name) for name in labs}
        if not candidate.name.endswith("-unwatched"):
            found |= under_load(addresses, wish.seconds, pid)
        for number in range(1, 1 + wish.kills):
            lost = asyncio.run(outage(site, proxy, wish.patience))
            found[f"kill_{number}"] = told(lost, len(labs))
            if len(lost.routes_s) < len(labs):
                break
    return found


def show(name: str, figures: dict[str, Any]) -> None:
    """Print one proxy's figures as a line each."""
    sys.stdout.write(f"\n{name}\n" + "".join(f"  {k:26} {v}\n" for k, v in figures.items()))
    sys.stdout.flush()


def main() -> None:
    """Measure what was asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--patience", type=float, default=60)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--others", type=Path, help="a virtual environment: see README.md")
    wish = parser.parse_args()
    os.sched_setaffinity(0, LOAD)
    every: dict[str, Any] = {}
    with backends(wish.learners) as labs:
        if wish.only is None:
            direct = {n: f"http://{n}.localhost:{port}/user/{n}/" for n, port in labs.items()}
            show("direct", every.setdefault("direct", under_load(direct, wish.seconds)))
        for candidate in candidates(sys.executable, wish.others):
            if wish.only is None or candidate.name in wish.only:
                show(
                    candidate.name, every.setdefault(candidate.name, measure(candidate, labs, wish))
                )
    about = {"learners": wish.learners, "load": round(os.getloadavg()[0], 1), "cores": len(CORES)}
    sys.stdout.write(json.dumps({**about, "proxies": every}) + "\n")


if __name__ == "__main__":
    main()
