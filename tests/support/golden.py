"""Golden cases: folders with `input.yaml`, `observed.yaml` and the `expected.yaml` decision.

`pytest --update-golden` writes what was decided into `expected.yaml`; read the diff before you commit
it. A case that has no `expected.yaml` fails.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.snapshot import Claims, SnapshotWorld, no_claims
from translators.model import (
    Action,
    Apply,
    CallAws,
    Decision,
    Delete,
    Emit,
    KindTranslator,
    Patch,
    Question,
    WriteStatus,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "decide"


def cases(kind: str) -> list[Path]:
    """The folders of one old kind."""
    return sorted(path.parent for path in (GOLDEN / kind).glob("*/input.yaml"))


def check(
    case: Path, translator: KindTranslator, kinds: Mapping[str, KindTranslator], *, update: bool = False
) -> None:
    """Decide on `input.yaml` in the world of `observed.yaml`; compare with `expected.yaml`.

    `kinds` are the translators by old kind, for what other old objects claim in AWS; `update` is the
    fixture `update_golden`.
    """

    def claims_of(legacy: dict[str, Any]) -> Any:
        kind = kinds.get(legacy["kind"])
        return kind.claims(legacy) if kind else ()

    decision = decide(case, translator, claims_of)
    got = plain(decision)
    expected = case / "expected.yaml"
    if update:
        expected.write_text(_dumped(got))
    assert expected.exists(), f"{expected} is missing; --update-golden writes it"
    assert got == _loaded(expected)


def decide(case: Path, translator: KindTranslator, claims_of: Claims = no_claims) -> Decision:
    """The decision of a case."""
    legacy = _loaded(case / "input.yaml")
    observed = _loaded(case / "observed.yaml")
    observed["legacy"] = [legacy, *(observed.get("legacy") or [])]
    return translator.decide(legacy, SnapshotWorld.from_yaml(observed, claims_of))


def plain(decision: Decision) -> dict[str, Any]:
    """A decision as plain data, without what is empty; the order of actions is kept."""
    full: dict[str, Any] = {
        "actions": [_action(action) for action in decision.actions],
        "questions": [_question(question) for question in decision.questions],
        "follow": [f"{r.kind} {r.region} {r.name}" for r in decision.follow],
        "againAfter": decision.again_after,
        "hold": asdict(decision.hold) if decision.hold else None,
    }
    kept = {key: value for key, value in full.items() if value not in (None, [])}
    return _reloaded(kept)


def _action(action: Action) -> dict[str, Any]:
    match action:
        case Apply(object=obj, only_create=only_create, refused_as=refused_as):
            applied = {"applyNew" if only_create else "apply": obj}
            return {**applied, "refusedAs": refused_as} if refused_as else applied
        case Patch(target=target, body=body, locked=locked):
            return {"patchLocked" if locked else "patch": str(target), "body": body}
        case WriteStatus(target=target, status=status, check_time=check_time):
            return {"writeStatus": str(target), "checkTime": check_time, "status": status}
        case Delete(target=target):
            return {"delete": str(target)}
        case CallAws(operation=operation, region=region, parameters=parameters):
            return {"callAws": operation, "region": region, "parameters": parameters}
        case Emit(reason=reason, message=message, type=kind):
            return {"emit": reason, "type": kind, "message": message}


def _question(question: Question) -> dict[str, Any]:
    parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in question.parameters}
    return {"ask": question.operation, "region": question.region, "parameters": parameters}


def _reloaded(data: dict[str, Any]) -> dict[str, Any]:
    """Through YAML and back, so that tuples and shared objects compare with what a file says."""
    loaded: dict[str, Any] = _yaml().load(_dumped(data))
    return loaded


def _loaded(path: Path) -> Any:
    return _yaml().load(path.read_text())


def _dumped(data: dict[str, Any]) -> str:
    stream = io.StringIO()
    _yaml().dump(data, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 110
    yaml.representer.ignore_aliases = lambda _data: True
    return yaml
