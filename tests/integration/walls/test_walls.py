"""Code in a real kernel of one learner reaches nothing of another, nor of the platform.

Each attack runs twice: in Miro's kernel, where nothing may come of it, and on
the machine itself without any wall, where it has to succeed; so no attack
passes because it is broken.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import walls_attacks as attacks
from bioskills_ports import free_port
from walls_scene import MARK, PRIVATE, Scene, from_outside

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root builds walls"),
]


@dataclass
class Attack:
    """One way to get at something.

    Attributes:
        act: The function of `attacks.py`.
        aim: What it is given.
        bare: Without walls it gets through for the bare uid of a learner, too, not for root alone.
        outside: What it is given without walls, where that is something else.
    """

    act: Callable[..., Any]
    aim: Callable[[Scene], tuple[Any, ...]] = lambda _scene: ()
    bare: bool = False
    outside: Callable[[Scene], tuple[Any, ...]] | None = None


ATTACKS = {
    "reads_or_writes_a_file_of_others": Attack(attacks.open_paths, lambda s: (s.paths,)),
    "gets_to_the_installation_by_another_root": Attack(
        attacks.seen_from_root, lambda s: (str(s.product.data),)
    ),
    "writes_into_a_folder_that_learners_share": Attack(
        attacks.writable_folders,
        lambda s: ((*PRIVATE, *s.folders),),
        bare=True,
        outside=lambda s: (s.folders,),
    ),
    "puts_a_link_in_the_place_of_a_folder_that_root_makes": Attack(
        attacks.replace_folders, lambda _s: ("/etc",)
    ),
    "signals_a_process_of_others": Attack(attacks.signalled, lambda s: (s.others,)),
    "learns_about_processes_of_others": Attack(
        attacks.read_in_proc, lambda s: (s.others,), bare=True
    ),
    "sees_that_others_are_there": Attack(attacks.strangers_in_proc, bare=True),
    "debugs_a_process_of_others_or_takes_its_files": Attack(
        attacks.debugged, lambda s: (s.others,)
    ),
    "enters_the_room_of_others": Attack(
        attacks.entered,
        lambda s: ([f"{s.runtime}/rooms/{s.lea.uid}/{k}" for k in ("mnt", "ipc", "net")],),
    ),
    "has_or_gains_rights": Attack(attacks.rights),
    "gains_rights_by_a_program": Attack(
        attacks.gained_by,
        lambda s: ([[str(s.setuid), "-u"], ["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"]],),
        bare=True,
    ),
    "does_what_only_root_may": Attack(attacks.made_by_force),
    "finds_a_way_around_as_root_of_a_user_namespace": Attack(
        attacks.tricks_in_a_new_user_namespace,
        lambda s: (s.miro.uid, str(s.product.data), str(s.home), f"{s.runtime}/rooms/{s.lea.uid}"),
        bare=True,
    ),
    "writes_or_sees_the_control_groups_of_others": Attack(
        attacks.groups_of_processes, lambda s: (s.miro.uid,)
    ),
    "takes_what_a_careless_neighbour_leaves_open_to_all": Attack(
        attacks.taken_bait, lambda s: (MARK, s.port), bare=True
    ),
    "connects_to_a_port_of_others": Attack(attacks.open_ports, lambda s: (s.reachable,), bare=True),
    "sees_which_ports_others_listen_on": Attack(
        attacks.sockets_of_others, lambda s: (s.reachable,), bare=True
    ),
    "sees_the_sockets_of_others": Attack(
        attacks.names_of_unix_sockets,
        lambda s: ([*s.folders, f"{s.runtime}/.kernels.sock", f"{s.runtime}/kernels.sock"],),
        bare=True,
    ),
    "makes_a_socket_that_no_network_of_a_room_holds": Attack(attacks.sockets_of_other_kinds),
    "reaches_what_lies_outside_of_the_machine": Attack(
        attacks.outside, lambda _s: (["192.0.2.1", "198.51.100.1"],), bare=True
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_kernel(scene: Scene, name: str) -> None:
    attack = ATTACKS[name]

    assert scene.from_inside(attack.act, *attack.aim(scene)) == []


BAIT_IS_IN_THE_ROOM = "takes_what_a_careless_neighbour_leaves_open_to_all"


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != BAIT_IS_IN_THE_ROOM])
def test_without_walls_a_process(scene: Scene, name: str) -> None:
    attack = ATTACKS[name]

    uid, aim = scene.miro.uid if attack.bare else 0, attack.outside or attack.aim
    assert from_outside(attack.act, *aim(scene), uid=uid) != []


def test_without_walls_everybody_takes_what_a_neighbour_leaves_open_to_all(scene: Scene) -> None:
    port = free_port()
    mark = f"{int(MARK, 16) ^ 1:08x}"
    laid = from_outside(attacks.bait_and_wait, mark, port)
    try:
        found = from_outside(attacks.taken_bait, mark, port, uid=scene.miro.uid)
    finally:
        os.kill(laid, 15)
        from_outside(attacks.remove_bait, mark)

    assert len(found) >= 9, found


def test_the_bait_can_be_taken_where_it_was_laid(scene: Scene) -> None:
    assert len(scene.victim.call(attacks.taken_bait, MARK, scene.port)) >= 9


def test_no_process_is_without_limits(scene: Scene) -> None:
    assert scene.from_inside(attacks.limits_missing) == []


def test_ps_shows_ones_own_processes_alone(scene: Scene) -> None:
    shown = scene.from_inside(attacks.processes_shown)

    assert len(shown) > 1
    assert {line.split()[0] for line in shown[1:]} == {str(scene.miro.uid)}
    assert [line for line in shown if "lea" in line.split()] == []
    assert [line for line in shown if str(scene.lea.uid) in line] == []


def test_names_of_neighbours_are_in_no_list_of_accounts(scene: Scene) -> None:
    code = "import pwd, grp, getpass; print([p.pw_name for p in pwd.getpwall()], [g.gr_name for g in grp.getgrall()], getpass.getuser())"

    said = scene.attacker.run(code)

    assert "'root'" in said, "the lists are there"
    assert said.split()[-1] == "miro"
    assert "lea" not in said
