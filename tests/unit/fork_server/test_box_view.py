"""What bubblewrap mounts around the warm parent is there before it is mounted."""

import os
from pathlib import Path

from bioskills.fork_server import box_view
from bioskills.fork_server.config import Config


def test_at_the_first_start_the_folder_of_what_is_learned_is_made(tmp_path: Path) -> None:
    run, cache = tmp_path / "run", tmp_path / "env" / "learned"
    run.mkdir()
    config = Config(
        mark="test",
        run_dir=run,
        homes=tmp_path,
        log_dir=tmp_path,
        first_uid=70_000,
        last_uid=70_001,
        hub_uid=os.geteuid(),
        relay_uid=os.geteuid(),
        probe_uid=os.geteuid(),
        environments={"course": tmp_path},
        cache=str(cache),
    )

    words = box_view.command(config, str(run / "fork.json"))

    assert str(cache) in words
    assert cache.is_dir()
    assert cache.stat().st_mode & 0o777 == 0o700
