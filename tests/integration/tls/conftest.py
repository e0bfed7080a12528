"""One installation behind each of the two fronts in turn."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_ports import free_port
from bioskills_product import Product, running_product
from bioskills_provider import CLIENT, SECRET, Provider, running_provider
from bioskills_tls import HOST, Front, start_front
from bioskills_waiting import remove

PEOPLE = "cohort,name,display_name,email,roles\nautumn,lea,Lea,lea@example.org,learner\n"


@pytest.fixture(scope="package")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="package")
def provider() -> Iterator[Provider]:
    with running_provider() as found:
        yield found


@pytest.fixture(scope="package")
def behind(
    provider: Provider, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("tls")
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    settings = {
        "NETWORK_PUBLIC_URL": f"https://{HOST}:{ports[0]}",
        "SIGN_IN_METHOD": "oidc",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    with running_product(demo=False, **settings) as found:
        (folder / "autumn.csv").write_text(PEOPLE)
        done = found.command("cohort", "apply", str(folder / "autumn.csv"))
        assert done.returncode == 0, done.stderr
        provider.put("s-lea", email="lea@example.org", email_verified=True)
        yield found


@pytest.fixture(scope="package", params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, behind: Product, ports: tuple[int, int]
) -> Iterator[Front]:
    # Not pytest's own folder: nginx's workers give root up and write here.
    folder = Path(tempfile.mkdtemp(prefix="bsh-tls-"))
    folder.chmod(0o755)
    found = start_front(request.param, folder, ports, behind.port)
    yield found
    found.end()
    remove(folder)
