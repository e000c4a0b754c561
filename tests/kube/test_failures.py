"""Answers of the API server, and of what stands in between, become failures of the right class."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import EXIT_CLUSTER, BridgeError
from bridge.kube import failures


def _from(status: int, body: Any = None, **headers: str) -> failures.KubeFailure:
    text = body if isinstance(body, str) else json.dumps({"kind": "Status", "message": "no", **(body or {})})
    return failures.from_response(status, text, headers, "GET /apis/x")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, failures.Invalid),
        (401, failures.Unauthorized),
        (403, failures.Forbidden),
        (404, failures.NotFound),
        (408, failures.Unavailable),
        (409, failures.Conflict),
        (410, failures.Gone),
        (422, failures.Invalid),
        (429, failures.Throttled),
        (500, failures.Unavailable),
        (503, failures.Unavailable),
        (504, failures.Unavailable),
    ],
)
def test_each_status_has_its_class(status: int, expected: type[failures.KubeFailure]) -> None:
    failure = _from(status)
    assert type(failure) is expected
    assert failure.status == status


def test_a_failure_is_one_line_that_says_what_was_asked_and_an_exit_code() -> None:
    failure = _from(403, {"message": "widgets is forbidden"})
    assert isinstance(failure, BridgeError)
    assert failure.exit_code == EXIT_CLUSTER
    assert str(failure).startswith("GET /apis/x: widgets is forbidden. ")


def test_a_page_of_a_proxy_is_one_line_and_is_cut() -> None:
    failure = _from(502, "<html>\n<body>\n" + "x" * 10_000)
    assert isinstance(failure, failures.Unavailable)
    assert "\n" not in failure.message
    assert len(failure.message) == failures.MESSAGE_LIMIT


def test_a_pause_is_taken_from_the_header_or_from_the_body() -> None:
    assert _from(429, **{"Retry-After": "7"}).retry_after == 7
    assert _from(429, {"details": {"retryAfterSeconds": 3}}).retry_after == 3
    assert _from(429, **{"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after == 0


def test_a_kind_that_is_not_served_differs_from_a_missing_object() -> None:
    missing_kind = _from(404, "404 page not found\n")
    missing_object = _from(404, {"details": {"name": "a", "kind": "widgets"}})
    assert isinstance(missing_kind, failures.NotFound)
    assert isinstance(missing_object, failures.NotFound)
    assert missing_kind.is_kind
    assert not missing_object.is_kind


def test_another_uid_in_a_patch_is_a_conflict() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "metadata.uid", "message": "field is immutable"}]
    assert isinstance(_from(422, {"details": {"causes": causes}}), failures.Conflict)
    causes = [{"reason": "FieldValueInvalid", "field": "spec.size", "message": "must be a number"}]
    assert isinstance(_from(422, {"details": {"causes": causes}}), failures.Invalid)


def test_an_applied_object_of_the_wrong_shape_is_invalid_though_it_comes_as_a_500() -> None:
    message = "failed to create typed patch object (ns/a; g/v1, Kind=K): .spec.size: expected numeric"
    assert isinstance(_from(500, {"message": message}), failures.Invalid)
    assert isinstance(_from(500, {"message": "etcdserver: request timed out"}), failures.Unavailable)
