"""Measure signing in: many people in one minute, through the real proxy and hub.

Run it with `make bench-signin`. Everybody has a real account (argon2id as in use) and
signs in by the form, once, spread evenly over the minute from one address. The last line is
one JSON object. CPU seconds and memory are comparable between machines, wall seconds only
beside their conditions.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "lib"))

import httpx
from bioskills_product import Product, running_product
from sqlalchemy import update

from bioskills.base.store import Store
from bioskills.base.tables_accounts import Account
from bioskills.hub.passwords import AT_ONCE, HASHER, make_hash

PASSWORD = "four words nobody puts together"
TICKS = os.sysconf("SC_CLK_TCK")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-signin", description=__doc__)
    parser.add_argument("--n", type=int, default=300, help="people")
    parser.add_argument("--seconds", type=float, default=60.0, help="over which they come")
    return parser.parse_args()


def people(product: Product, count: int) -> list[str]:
    """Bring in so many learners, each with a password of the usual cost."""
    names = [f"bench-{number:03}" for number in range(count)]
    rows = "".join(
        f'[[people]]\nname = "{n}"\ndisplay_name = "{n}"\nroles = ["learner"]\n' for n in names
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.toml"
        file.write_text(f'[cohort]\nslug = "bench"\ntitle = "Bench"\n{rows}')
        done = product.command("cohort", "apply", str(file))
    assert done.returncode == 0, done.stderr
    store = Store(f"sqlite:///{product.data / 'state/db/bioskills.sqlite'}")
    with store.transaction() as session:
        session.execute(update(Account).values(password_hash=make_hash(PASSWORD)))
    store.close()
    return names


def hub_pid(product: Product) -> int:
    """Return the hub's process."""
    port = product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    mark = str(product.data).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        # setpriv has become the hub itself.
        if b"bioskills.hub.start_hub" in line and mark in line:
            return int(folder.name)
    raise SystemExit(f"no hub on port {port}")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, name: str) -> float:
    """Return a figure of a process's memory: `VmHWM` is the peak, `VmRSS` the present."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def come_in(product: Product, name: str, at: float) -> tuple[float, str]:
    """Sign in at this moment; return the seconds it took, and what went wrong."""
    await asyncio.sleep(max(0.0, at - time.monotonic()))
    base, host = f"http://127.0.0.1:{product.port}", {"Host": f"hub.localhost:{product.port}"}
    began = time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=host) as client:
        try:
            form = await client.get(f"{base}/hub/login")
            xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
            data = {"username": name, "password": PASSWORD, "_xsrf": xsrf[1] if xsrf else ""}
            # By hand: the cookies are the host's, which is not the address.
            head = {"Cookie": "; ".join(f"{k}={v}" for k, v in form.cookies.items())}
            answer = await client.post(f"{base}/hub/login", data=data, headers=head)
            right = answer.status_code == httpx.codes.FOUND
            fault = "" if right else f"status {answer.status_code}"
        except httpx.HTTPError as error:
            fault = repr(error)
    return time.monotonic() - began, fault


async def everybody(product: Product, names: list[str], seconds: float) -> list[tuple[float, str]]:
    """Let everybody come, spread over these seconds."""
    began = time.monotonic()
    steps = [began + seconds * number / len(names) for number in range(len(names))]
    return await asyncio.gather(
        *(come_in(product, name, at) for name, at in zip(names, steps, strict=True))
    )


def measure(product: Product, wish: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one minute."""
    names, pid = people(product, wish.n), hub_pid(product)
    before, at_rest, began = cpu_s(pid), memory_mb(pid, "VmRSS"), time.monotonic()
    load_before = os.getloadavg()[0]
    done = asyncio.run(everybody(product, names, wish.seconds))
    times = sorted(took for took, _fault in done)
    faults = [fault for _took, fault in done if fault]
    return {
        "people": wish.n,
        "seconds": round(time.monotonic() - began, 1),
        "errors": len(faults),
        "faults": sorted(set(faults)),
        "hub_cpu_s": round(cpu_s(pid) - before, 2),
        "hub_memory_mb": {"before": round(at_rest), "peak": round(memory_mb(pid, "VmHWM"))},
        "sign_in_s": {
            "p50": round(times[len(times) // 2], 3),
            "p95": round(times[int(len(times) * 0.95)], 3),
            "most": round(times[-1], 3),
        },
        "conditions": {
            "argon2id": f"m={HASHER.memory_cost} KiB, t={HASHER.time_cost}, p={HASHER.parallelism}",
            "hashes_at_once": AT_ONCE,
            "cores": os.cpu_count(),
            "load_before": round(load_before, 1),
            "load_after": round(os.getloadavg()[0], 1),
        },
    }


def main() -> int:
    """Measure, print the figures, fail on an error alone."""
    wish = options()
    # One uid each for everybody, beside the demo cohort.
    with running_product(LABS_UID_COUNT=str(wish.n + 100)) as product:
        try:
            found = measure(product, wish)
        except BaseException:
            product.stop()  # leaves nothing running behind
            raise
    print(json.dumps(found))
    return 1 if found["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
