"""Beside a running hub the ledger is verified and signed; the campus cannot reach the key."""

import os
import subprocess

import pytest
from bioskills_product import Product

from bioskills.hub.ledger_signing import KEPT, KEY

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_the_ledger_of_a_running_hub_is_verified_and_signed(product: Product) -> None:
    signed = product.command("ledger", "checkpoint")
    assert (signed.returncode, "Signed" in signed.stdout) == (0, True), signed.stderr

    found = product.command("ledger", "verify")
    assert (found.returncode, "checkpoint agrees" in found.stdout) == (0, True), found.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="as one account there is nobody to keep out")
def test_the_campus_reads_what_was_signed_and_not_the_key(product: Product) -> None:
    product.command("ledger", "checkpoint")
    state = product.data / "state"
    campus, group = str((state / "campus").stat().st_uid), str(state.stat().st_gid)

    def reads(path: str) -> bool:
        drop = ["setpriv", "--reuid", campus, "--regid", campus, "--groups", group]
        command = [*drop, "cat", path]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert reads(str(state / "reports" / KEPT))
    assert not reads(str(state / "machine" / KEY))
