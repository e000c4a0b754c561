"""Reads requests and writes answers in the two protocols: JSON 1.1, and query with XML for STS.

botocore 1.44 and aws-sdk-go-v2 (2026-08) speak these to the four services; none of them lists another
protocol in its model.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.stack.aws.errors import ServiceError
from tests.stack.aws.services import BY_TARGET, STS, Service, operation_model
from tests.stack.aws.shaping import shaped
from tests.stack.aws.world import Json

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
_JSON_TYPE = "application/x-amz-json-1.1"
_XML_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True)
class Incoming:
    """A request that was understood."""

    service: Service
    operation: str
    region: str
    access_key: str
    request: Json


@dataclass(frozen=True)
class Outgoing:
    """An answer: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


def read(headers: Mapping[str, str], body: bytes) -> Incoming:
    """Understand a request; raises ServiceError where it is none of ours or isn't signed."""
    target = headers.get("X-Amz-Target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        service = BY_TARGET.get(prefix)
        if service is None:
            raise ServiceError("UnknownOperationException", f"no service takes {target}")
        access_key, region = _signer(headers)
        return Incoming(service, operation, region, access_key, _json(body))
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        operation = fields.pop("Action", "")
        fields.pop("Version", None)
        access_key, region = _signer(headers)
        return Incoming(STS, operation, region, access_key, dict(fields))
    raise ServiceError("UnknownOperationException", "the request names no operation")


def answer(incoming: Incoming, result: Json) -> Outgoing:
    """What the client gets: the members that the model knows."""
    model = operation_model(incoming.service, incoming.operation)
    content = shaped(model.output_shape, result) if model.output_shape is not None else None
    request_id = str(uuid.uuid4())
    if incoming.service is STS:
        return _xml(incoming.operation, content or {}, request_id)
    body = b"" if content is None else json.dumps(content).encode()
    return Outgoing(200, {"Content-Type": _JSON_TYPE, "x-amzn-RequestId": request_id}, body)


def refusal(incoming: Incoming | None, error: ServiceError) -> Outgoing:
    """An error in the words of the protocol; a request that was not understood is answered in JSON."""
    request_id = str(uuid.uuid4())
    if incoming is not None and incoming.service is STS:
        kind = "Sender" if error.status < 500 else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_XML_NAMESPACE}"><Error><Type>{kind}</Type>'
            f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Outgoing(
            error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode()
        )
    member = "message" if incoming is None else _message_member(incoming, error.code)
    content = {"__type": error.code, member: error.message}
    headers = {"Content-Type": _JSON_TYPE, "x-amzn-RequestId": request_id}
    return Outgoing(error.status, headers, json.dumps(content).encode())


def _message_member(incoming: Incoming, code: str) -> str:
    """Modelled errors spell it as their shape does; aws-sdk-go-v2 looks for just that."""
    try:
        shapes = operation_model(incoming.service, incoming.operation).error_shapes
    except ServiceError:
        return "message"
    for shape in shapes:
        if shape.name == code:
            return next((str(name) for name in shape.members if name.lower() == "message"), "message")
    return "message"


def _signer(headers: Mapping[str, str]) -> tuple[str, str]:
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    if found is None:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    return found[1], found[3]


def _json(body: bytes) -> Json:
    try:
        content: Any = json.loads(body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "the body is no JSON") from None
    if not isinstance(content, dict):
        raise ServiceError("SerializationException", "the body is no structure")
    return content


def _xml(operation: str, content: Mapping[str, Any], request_id: str) -> Outgoing:
    members = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in content.items())
    body = (
        f'<{operation}Response xmlns="{_XML_NAMESPACE}"><{operation}Result>{members}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Outgoing(200, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode())
