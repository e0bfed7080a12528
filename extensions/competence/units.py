"""Add outcomes up to units and pathways (rule R6).

Law: pure. No compensation between outcomes; points only for the whole unit.
"""

from collections.abc import Mapping as AbcMapping
from types import MappingProxyType

from bioskills.competence.framework import Framework, Role, Unit
from bioskills.competence.results import OutcomeResult, PathwayResult, Status, UnitResult

Results = AbcMapping[str, OutcomeResult]

_CAPSTONE_UNITS = 2


def _unit_status(found: list[OutcomeResult]) -> Status:
    statuses = {result.status for result in found}
    if all(status.reached for status in statuses):
        return Status.EXCEEDED if statuses == {Status.EXCEEDED} else Status.ACHIEVED
    if Status.EXPIRED in statuses and statuses <= {*_REACHED_OR_EXPIRED}:
        return Status.EXPIRED
    if Status.PENDING in statuses:
        return Status.PENDING
    return Status.NOT_ASSESSED if statuses == {Status.NOT_ASSESSED} else Status.DEVELOPING


_REACHED_OR_EXPIRED = (Status.ACHIEVED, Status.EXCEEDED, Status.GRANTED_RPL, Status.EXPIRED)


def _unit_result(unit: Unit, results: Results) -> UnitResult:
    found = [results[outcome.id] for outcome in unit.outcomes]
    reached = sum(result.status.reached for result in found)
    return UnitResult(
        code=unit.code,
        status=_unit_status(found),
        points=unit.points if reached == len(found) else 0,
        worth=unit.points,
        reached=reached,
        total=len(found),
        missing=tuple(item for result in found for item in result.missing),
    )


def unit_results(framework: Framework, results: Results) -> dict[str, UnitResult]:
    """Return where a learner stands with every unit, from the results of `evaluate`."""
    return {unit.code: _unit_result(unit, results) for unit in framework.units}


def _whole(unit: Unit, results: Results) -> bool:
    return all(results[outcome.id].status.reached for outcome in unit.outcomes)


def _knowledge(unit: Unit, results: Results) -> bool:
    wanted = [outcome.id for outcome in unit.outcomes if outcome.type == "knowledge"]
    return all(results[outcome].status.reached for outcome in wanted)


def _by_capstone(unit: Unit, results: Results) -> bool:
    """Say whether a capstone task shows an autonomy outcome of the unit."""
    return any(
        task.kind == "capstone" and task.shown_at is not None
        for outcome in unit.outcomes
        if outcome.type == "autonomy"
        for task in results[outcome.id].tasks
    )


def _met(role: Role, unit: Unit, results: Results) -> bool:
    knowledge_only = role.units[unit.code] == "knowledge-only"
    return (_knowledge if knowledge_only else _whole)(unit, results)


def pathway_result(framework: Framework, role: Role, results: Results) -> PathwayResult:
    """Return how far a learner is on the pathway of a role."""
    asked = [unit for unit in framework.units if unit.code in role.units]
    met = {unit.code: _met(role, unit, results) for unit in asked}
    elective = {unit.code for unit in asked if role.units[unit.code] == "elective"}
    mandatory = [unit for unit in asked if role.units[unit.code] == "mandatory"]
    chosen = sum(unit.points for unit in asked if unit.code in elective and met[unit.code])
    capstone = sum(_by_capstone(unit, results) for unit in mandatory) >= _CAPSTONE_UNITS
    required = all(met[code] for code in met if code not in elective)
    return PathwayResult(
        role=role.code,
        units=MappingProxyType(met),
        points=sum(unit.points for unit in asked if _whole(unit, results)),
        elective_points=chosen,
        elective_needed=role.elective_points,
        capstone=capstone,
        complete=required and capstone and chosen >= role.elective_points,
    )
