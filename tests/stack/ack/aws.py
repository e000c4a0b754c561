"""AWS as the controllers reach it: botocore clients, and errors with the texts of the Go SDK."""

from __future__ import annotations

import threading
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from tests.stack.ack.codec import missing
from tests.stack.ack.errors import AwsRefused, AwsUnreachable
from translators.model import Json

SDK_ATTEMPTS = 3
"""How often the SDK tries a throttled, failed or lost call before ACK hears of it."""

_RETRIED_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
_RETRIED_STATUSES = frozenset({500, 502, 503, 504})


class Aws:
    """One endpoint for all services and regions. Clients are made once and may be used by all threads."""

    def __init__(self, url: str, *, connections: int, attempts: int = SDK_ATTEMPTS) -> None:
        self._url = url
        self._attempts = attempts
        self._session = Session()
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            parameter_validation=False,
            max_pool_connections=connections,
            proxies={},
            connect_timeout=10,
            read_timeout=60,
        )
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def model(self, service: str) -> Any:
        """botocore's model of a service."""
        return self._session.get_service_model(service)

    def call(self, service: str, region: str, operation: str, request: Json) -> Json:
        """One call. Raises `AwsRefused`; `AwsUnreachable` where there was no answer or nothing was sent."""
        client = self._client(service, region)
        model = client.meta.service_model.operation_model(operation)
        said = f"operation error {client.meta.service_model.service_id}: {operation}, "
        if lines := missing(model.input_shape, request, f"{operation}Input"):
            text = "\n".join([f"{len(lines)} validation error(s) found.", *lines])
            raise AwsUnreachable(f"{said}{text}\n")
        tried = f"exceeded maximum number of attempts, {self._attempts}, "
        try:
            answer: Json = getattr(client, xform_name(operation))(**request)
        except ClientError as refused:
            metadata = refused.response["ResponseMetadata"]
            status, code = metadata["HTTPStatusCode"], refused.response["Error"]["Code"]
            given_up = status in _RETRIED_STATUSES or code in _RETRIED_CODES
            raise AwsRefused(
                code,
                refused.response["Error"].get("Message", ""),
                modeled=code in {shape.error_code or shape.name for shape in model.error_shapes},
                prefix=f"{said}{tried if given_up else ''}https response error StatusCode: {status}, "
                f"RequestID: {metadata.get('RequestId', '')}, ",
            ) from None
        except BotoCoreError as error:
            raise AwsUnreachable(
                f"{said}{tried}https response error StatusCode: 0, RequestID: , request send failed, {error}"
            ) from None
        return answer

    def account(self, region: str) -> str:
        """The account that the credentials belong to; the real controllers ask this at start."""
        return str(self.call("sts", region, "GetCallerIdentity", {})["Account"])

    def close(self) -> None:
        """Closes the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._clients[service, region] = self._session.create_client(
                    service,
                    region_name=region,
                    endpoint_url=self._url,
                    config=self._config,
                    aws_access_key_id="ack",
                    aws_secret_access_key="ack",
                )
            return client
