"""Check how labs start and which walls stand between learners.

Law: what the running fork server found out is reported, with the reason where a
weaker way is in force; nothing is tried here, so that no lab is disturbed.
"""

import os

from bioskills.base.problems import SetupError
from bioskills.base.runtime import runtime_dir
from bioskills.base.text import _
from bioskills.hub.doctor import Check, Examination, Patient, fault, ok, warning
from bioskills.hub.readiness import listens
from bioskills.hub.spawner_choice import spawner_of, uses_fork_server
from bioskills.hub.walls import missing_walls, read_about, walls_that_stand

PARTS = ("warden", "labs", "kernels", "boxes")


def check_spawner(patient: Patient) -> Check:
    """Look what starts labs, and whether it answers where the hub runs."""
    settings, alone = patient.settings, os.geteuid() != 0
    try:
        spawner_of(settings, alone=alone)
    except SetupError as error:
        return fault("spawner", str(error), _("Correct labs.spawner, then run: bioskills doctor"))
    if not uses_fork_server(settings, alone=alone):
        name = _("one account for all") if alone else settings.labs.spawner
        return ok("spawner", _("Labs are started by: {name}.").format(name=name))
    run_dir = runtime_dir(settings)
    if not read_about(run_dir):
        return ok("spawner", _("Labs are started by the fork server; it does not run now."))
    silent = [name for name in PARTS if not listens(run_dir / f"{name}.sock")]
    if not silent:
        return ok("spawner", _("Labs are started by the fork server; all its parts answer."))
    text = _("Parts of the fork server do not answer: {names}.").format(names=", ".join(silent))
    log = patient.places.logs / "fork.log"
    return fault("spawner", text, _("Read why in {log}.").format(log=log))


def check_walls(patient: Patient) -> Check:
    """Say which network and limits are in force, and which fall-back, and why."""
    about = read_about(runtime_dir(patient.settings))
    if not about:
        return ok("walls", _("Known when the hub runs: start-up says which walls stand."))
    weak = missing_walls(about)
    if not weak:
        return ok("walls", walls_that_stand(about))
    step = _("See docs/explanation/security.md for what is lost.")
    return warning("walls", " ".join((walls_that_stand(about), *weak)), step)


ALL: tuple[Examination, ...] = (check_spawner, check_walls)
