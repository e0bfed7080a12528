"""One provider and one installation that trusts it, for all tests of this folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_product import Product, running_product
from bioskills_provider import CLIENT, SECRET, Provider, running_provider
from bioskills_tests import COURSE

RULES = [
    {"group": "cohort-2026", "cohort": "autumn", "role": "learner"},
    {"group": "teachers-2026", "cohort": "autumn", "role": "instructor"},
    {"group": "rulers", "cohort": "platform", "role": "admin"},
]
RECHECK_S, GRACE_S = 2, 4
PEOPLE = """cohort,name,display_name,email,roles
autumn,lea,Lea Brandt,lea@example.org,learner
autumn,miro,Miro Petrov,miro@example.org,learner
autumn,sofia,Sofia Rossi,sofia@example.org,learner
autumn,ina,Ina Keller,ina@example.org,instructor
autumn,tom,Tom Taken,tom@example.org,learner
autumn,ola,Ola Out,ola@example.org,learner
autumn,pia,Pia Patient,pia@example.org,learner
autumn,ada,Ada Admin,ada@example.org,admin
"""


@pytest.fixture(scope="package")
def provider() -> Iterator[Provider]:
    with running_provider() as found:
        yield found


@pytest.fixture(scope="package")
def place(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("oidc")
    secret = folder / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    settings = {
        "SIGN_IN_METHOD": "oidc",
        "SIGN_IN_MEMBERSHIP_AGE_S": "1",
        "SIGN_IN_PERMISSIONS_AGE_S": "1",
        "SITE_HELP_CONTACT": "training@example.org",
        "OIDC_NAME": "Example University",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET_FILE": str(secret),
        "OIDC_CREATE_PEOPLE": "true",
        "OIDC_CLAIMS": json.dumps(RULES),
        "OIDC_CLAIMS_MAY_GIVE_PLATFORM_ROLES": "true",
        "OIDC_RECHECK_S": str(RECHECK_S),
        "OIDC_LAB_GRACE_S": str(GRACE_S),
    }
    with running_product(**settings) as found:
        bring(found, folder)
        yield found


def bring(product: Product, folder: Path) -> None:
    done = product.command("course", "install", str(COURSE))
    assert done.returncode == 0, done.stderr
    file = folder / "autumn.csv"
    file.write_text(PEOPLE)
    done = product.command("cohort", "apply", str(file), "--platform-roles")
    assert done.returncode == 0, done.stderr
