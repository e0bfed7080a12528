"""`bioskills ledger verify|show|checkpoint|rotate-key|accept-loss`: check the ledger, and sign.

Law: files are read as who ran the command, the database as its owner; nothing here changes
a record. Exit code 0: sound; 1: something is wrong with the ledger; 2: it could not be done.
"""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import InputError, Problem, SetupError
from bioskills.base.settings import load_settings
from bioskills.base.store import Store
from bioskills.base.tables import LedgerRow, now
from bioskills.base.text import _, ngettext
from bioskills.competence.checkpoints import BadCheckpointError, read
from bioskills.competence.ledger import GENESIS, fault_of, in_text
from bioskills.hub import ledger_signing
from bioskills.hub.ledger_check import Finding, Verdict, examine
from bioskills.hub.ledger_rows import entry_of
from bioskills.hub.ledger_signing import Kept, as_campus, kept_file, read_kept
from bioskills.hub.state import ensure_state, owners_of

WRONG = 1
MOST = 2**63 - 1
SHORTEST_REASON = 20


def add_ledger(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs of `bioskills ledger`."""
    verbs = verbs_of(sub, "ledger", _("Check the ledger of evidence. For the admin."))
    text = _("Look through the whole ledger; names the first bad record.")
    parser = verbs.add_parser("verify", help=text, description=text)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=_("Also hold it against the checkpoints in a file that was carried away."),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object instead"))
    parser.set_defaults(act=partial(_in_sentences, _verify))
    text = _("Show one record, as it is stored.")
    parser = verbs.add_parser("show", help=text, description=text)
    parser.add_argument("seq", type=int, metavar="SEQ", help=_("The record's number."))
    parser.set_defaults(act=partial(_in_sentences, _show))
    text = _("Sign what the ledger is now; `bioskills run` does it each night.")
    parser = verbs.add_parser("checkpoint", help=text, description=text)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=_("Write all checkpoints to a file to carry away.")
    )
    parser.set_defaults(act=partial(_in_sentences, _checkpoint))
    text = _("Sign with a new key from now on; the old one gives its word for it.")
    parser = verbs.add_parser("rotate-key", help=text, description=text)
    parser.set_defaults(act=partial(_in_sentences, _rotate))
    text = _("After an older backup came back: say, signed, that what came later is lost.")
    parser = verbs.add_parser("accept-loss", help=text, description=text)
    parser.add_argument("--reason", required=True, help=_("Why, for whoever checks; no names."))
    parser.set_defaults(act=partial(_in_sentences, _accept))


def _in_sentences(act: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Do what a verb says; what goes wrong with files and signatures is told in a sentence."""
    try:
        return act(options)
    except BadCheckpointError as error:
        path = kept_file(places_of(load_settings()))
        raise SetupError(_("{path}: {error}").format(path=path, error=error)) from error
    except OSError as error:
        what, why = error.filename or _("a file"), error.strerror or error
        raise SetupError(_("{path}: {error}").format(path=what, error=why)) from error


def _verify(options: argparse.Namespace) -> int:
    settings = load_settings()
    own = read_kept(_installed(places_of(settings)))
    carried = [(path, read_kept(_there(path))) for path in options.checkpoint]
    known, findings = _signed(own, carried)
    url = database_url(settings)
    found = as_campus(settings, partial(_examine, url, known.model_dump()))
    verdict = Verdict(**{**found, "findings": [Finding(**one) for one in found["findings"]]})
    verdict.findings.extend(findings)
    lost = [{"seq": one.seq, "at": in_text(one.at), "reason": one.reason} for one in own.accepted()]
    if options.json:
        told = {"sound": not verdict.findings, **verdict.as_dict(), "accepted_losses": lost}
        _say(json.dumps(told, indent=1))
    else:
        _say("\n".join([as_text(verdict), *map(_lost, lost)]))
    return WRONG if verdict.findings else 0


def _installed(places: Places) -> Path:
    if not places.state.is_dir():
        text = _("There is no installation at {data}. Start first: bioskills run")
        raise SetupError(text.format(data=places.data))
    return kept_file(places)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise InputError([Problem("--checkpoint", _("there is no file {p}.").format(p=path))])
    return path


def _signed(own: Kept, carried: list[tuple[Path, Kept]]) -> tuple[Kept, list[Finding]]:
    """Return every checkpoint that a key signed, and what is wrong with signatures and keys."""
    found, wrong, kids = [], [], set()
    keys = [*own.keys, *(key for _path, kept in carried for key in kept.keys)]
    for where, kept in [(Path(ledger_signing.KEPT), own), *carried]:
        for jws in kept.checkpoints:
            try:
                kids.add(read(jws, keys).kid)
                found.append(jws)
            except BadCheckpointError as error:
                what = f"{where}: {str(error).rstrip('.')}"
                wrong.append(Finding(0, what, _("Take a whole copy of that file.")))
    for kid in sorted(kids - {key["kid"] for key in own.keys}):
        what = _("checkpoints are signed with the key {kid}, which this installation never had")
        step = _("Compare it with the key that you wrote down; one of the two was exchanged.")
        wrong.append(Finding(0, what.format(kid=kid), step))
    checkpoints = list(dict.fromkeys(found))
    return Kept(keys=keys, checkpoints=checkpoints, losses=own.losses), wrong


def _examine(url: str, signed: dict[str, Any]) -> dict[str, Any]:
    store = Store(url)
    try:
        with store.reading() as session:
            return examine(session, Kept(**signed).standing()).as_dict()
    finally:
        store.close()


def as_text(verdict: Verdict) -> str:
    """Return a verdict for a person."""
    if not verdict.findings:
        text = ngettext(
            "{n} record, each follows the one before it", "{n} records, each follows the one before it",
            verdict.count,
        )  # fmt: skip
        rest = ngettext("; {n} checkpoint agrees.", "; {n} checkpoints agree.", verdict.checkpoints)
        head = _("Newest: record {seq}, {hash}").format(seq=verdict.seq, hash=verdict.head)
        return f"{text.format(n=verdict.count)}{rest.format(n=verdict.checkpoints)}\n{head}"
    return "\n".join(f"{_where(one)}: {one.what}. {one.next}" for one in verdict.findings)


def _lost(loss: dict[str, Any]) -> str:
    text = _("Accepted on {at}: records after record {seq} were lost. Reason given: {reason}")
    return text.format(**loss)


def _where(finding: Finding) -> str:
    return _("Record {seq}").format(seq=finding.seq) if finding.seq else _("Ledger")


def _show(options: argparse.Namespace) -> int:
    settings = load_settings()
    _installed(places_of(settings))
    url, seq = database_url(settings), options.seq
    found = as_campus(settings, partial(_record, url, seq)) if 0 < seq <= MOST else None
    if found is None:
        text = _("there is no record {seq}.").format(seq=options.seq)
        raise InputError([Problem("SEQ", text, "", _("See how many: bioskills ledger verify"))])
    _say(found["record"])
    _say(_("Hash: {hash}").format(hash=found["hash"]))
    _say(_("Wrong: {what}.").format(what=found["what"]) if found["what"] else _("It is sound."))
    return WRONG if found["what"] else 0


def _record(url: str, seq: int) -> dict[str, str] | None:
    store = Store(url)
    try:
        with store.reading() as session:
            row, before = session.get(LedgerRow, seq), session.get(LedgerRow, seq - 1)
            if row is None:
                return None
            prev = before.hash if before else (row.prev if seq > 1 else GENESIS)
            return {
                "record": row.record,
                "hash": row.hash,
                "what": fault_of(entry_of(row), seq, prev),
            }
    finally:
        store.close()


def _checkpoint(options: argparse.Namespace) -> int:
    if options.out:
        _refuse_out(options.out)
    settings = load_settings()
    places = ensure_state(settings)
    signed = ledger_signing.make_checkpoint(settings, owners_of(settings).campus, now())
    when = f"{signed.at.astimezone(UTC):%Y-%m-%d %H:%M}"
    text = ngettext("Signed {n} record at {when} UTC: {head}", "Signed {n} records at {when} UTC: {head}", signed.count)  # fmt: skip
    _say(text.format(n=signed.count, when=when, head=signed.head))
    _say(_("Key: {kid}").format(kid=signed.kid))
    source = kept_file(places)
    if options.out:
        shutil.copyfile(source, options.out)
    _say(_("Carry away, to where this machine's admin cannot reach it: {path}").format(path=options.out or source))  # fmt: skip
    return 0


def _refuse_out(path: Path) -> None:
    """Refuse a place that cannot be written, before anything is signed."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        text = _(
            "{path} cannot be written: its folder is not there or may not be written, or it is a folder itself."
        )
        raise InputError([Problem("--out", text.format(path=path))])


def _rotate(_options: argparse.Namespace) -> int:
    settings = load_settings()
    places = ensure_state(settings)
    kid = ledger_signing.rotate_key(places, owners_of(settings).campus, now())
    _say(_("New key: {kid}. Write it down where you keep the checkpoints.").format(kid=kid))
    _say(_("Next: bioskills ledger checkpoint"))
    return 0


def _accept(options: argparse.Namespace) -> int:
    reason = str(options.reason).strip()
    if len(reason) < SHORTEST_REASON:
        text = _("is too short; give at least {n} characters.").format(n=SHORTEST_REASON)
        raise InputError([Problem("--reason", text)])
    settings = load_settings()
    ensure_state(settings)
    loss = ledger_signing.accept_loss(settings, owners_of(settings).campus, now(), reason)
    _say(_("Accepted and signed: records after record {seq} were lost.").format(seq=loss.seq))
    _say(_("Everybody who looks through the ledger is told. Next: bioskills ledger checkpoint"))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output
