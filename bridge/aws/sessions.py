"""boto3 clients, one for each service and region, and who we are in AWS.

Everything is configured as every AWS tool is: by the usual variables, files and roles. `AWS_ENDPOINT_URL`
and its forms for one service are boto3's own; nothing here names an endpoint.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserFactory
from botocore.utils import parse_timestamp

from bridge import __version__
from bridge.aws.failures import describe_failure
from bridge.aws.models import keep_only_ours
from bridge.errors import AwsUnavailable

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
"""Seconds; an answer of SageMaker's control plane that takes longer never comes."""
POOL = 16
"""Connections a client keeps: as many as there are threads that call AWS at once."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who AWS says that we are."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":")[1]


class Sessions:
    """Makes each client once and keeps it. Thread-safe, as the clients themselves are.

    `settings` are arguments of botocore's `Config` beside or instead of ours (tests shorten timeouts).
    """

    def __init__(self, **settings: Any) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session: botocore.session.Session | None = None
        self._config = Config(
            **{
                "user_agent_extra": f"ack-bridge/{__version__}",
                "retries": {"mode": "standard"},
                "connect_timeout": CONNECT_TIMEOUT,
                "read_timeout": READ_TIMEOUT,
                "max_pool_connections": POOL,
                **settings,
            }
        )

    def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service in a region; without one, in the region of the environment.

        Raises botocore's own errors where the region is no region or no profile of that name exists.
        """
        key = (service, region or "")
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._boto3().client(service, region_name=region, config=self._config)
            return self._clients[key]

    def prepare(self, service: str) -> None:
        """Read botocore's description of a service now.

        It takes 20 MiB until it is trimmed: at the start of a process what is listed later takes that over.
        """
        with self._lock:
            self._core().get_service_model(service)

    def identity(self, region: str | None = None) -> Identity:
        """Asks STS. Raises AwsUnavailable where AWS can't be reached or does not know us."""
        try:
            answer = self.client("sts", region).get_caller_identity()
        except (ClientError, BotoCoreError) as error:
            failure = describe_failure(error)
            raise AwsUnavailable(
                f"AWS does not say who we are: {failure.code}: {failure.message}",
                fix="Check the AWS credentials and region (AWS_PROFILE, AWS_REGION, the role of the pod)",
            ) from error
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def _boto3(self) -> boto3.session.Session:
        return boto3.session.Session(botocore_session=self._core())

    def _core(self) -> botocore.session.Session:
        if self._session is None:
            self._session = botocore.session.get_session()
            keep_only_ours(self._session)
            factory: ResponseParserFactory = self._session.get_component("response_parser_factory")
            factory.set_parser_defaults(timestamp_parser=_utc)
        return self._session


def _utc(value: Any) -> datetime:
    """A timestamp in UTC, whatever the time zone of this machine: statuses must not depend on it."""
    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC)
