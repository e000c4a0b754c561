"""AWS in memory, as far as hosting and autoscaling go: what exists, what goes on, what was told to change."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from translators.model import Answer, Failure, Found, Json, NotFound, Question

ACCOUNT = "123456789012"
CHANGING = ("Creating", "Updating", "RollingBack", "Deleting")


class Refused(Exception):
    """AWS answers with an error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True)
class Told:
    """One call that changed something, and who made it."""

    operation: str
    region: str
    parameters: Json
    by: str


@dataclass
class AwsModel:
    """Things by kind and (region, name); endpoints get on with each tick."""

    names_new_config_at_once: bool = True
    takes: int = 4
    """Ticks that a creation or an update of an endpoint lasts."""
    models: dict[tuple[str, str], Json] = field(default_factory=dict)
    configs: dict[tuple[str, str], Json] = field(default_factory=dict)
    endpoints: dict[tuple[str, str], Json] = field(default_factory=dict)
    targets: dict[tuple[str, str], Json] = field(default_factory=dict)
    policies: dict[tuple[str, str], Json] = field(default_factory=dict)
    calls: list[Told] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    failing_configs: set[str] = field(default_factory=set)
    """Updates to these are rolled back, creations with them fail."""
    refusing: dict[str, Refused] = field(default_factory=dict)
    """By operation."""
    asked_as: str = ACCOUNT
    """The account that the bridge's credentials are for; ACK's are always for the right one."""

    def state(self) -> Json:
        """What exists; endpoints without their times."""
        endpoints = {
            f"{region}/{name}": {k: v for k, v in endpoint.items() if k not in ("created", "modified")}
            for (region, name), endpoint in self.endpoints.items()
        }
        plain = {
            kind: {f"{region}/{name}": spec for (region, name), spec in things.items()}
            for kind, things in (
                ("models", self.models),
                ("configs", self.configs),
                ("targets", self.targets),
                ("policies", self.policies),
            )
        }
        return {**plain, "endpoints": endpoints}

    def told(self, operation: str) -> list[Told]:
        """The calls of one operation."""
        return [call for call in self.calls if call.operation == operation]

    def call(self, operation: str, region: str, parameters: Mapping[str, Any], by: str, stamp: str) -> None:
        """A call that changes something, with the parameters of the AWS API (specs: in ACK's spelling)."""
        if operation in self.refusing:
            raise self.refusing[operation]
        getattr(self, f"_{operation}")(region, parameters, stamp)
        self.calls.append(Told(operation, region, copy.deepcopy(dict(parameters)), by))

    # --- models and configurations

    def _CreateModel(self, region: str, spec: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        self.models[region, spec["modelName"]] = dict(spec)

    def _DeleteModel(self, region: str, named: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        name = named["modelName"]
        for (where, config), spec in self.configs.items():
            if where == region and any(v["modelName"] == name for v in spec["productionVariants"]):
                self._note_use(region, config, f"model {name}")
        del self.models[region, name]

    def _CreateEndpointConfig(self, region: str, spec: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        for variant in spec["productionVariants"]:
            if (region, variant["modelName"]) not in self.models:
                raise Refused("ValidationException", f'Could not find model "{variant["modelName"]}".')
        self.configs[region, spec["endpointConfigName"]] = dict(spec)

    def _DeleteEndpointConfig(self, region: str, named: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        self._note_use(region, named["endpointConfigName"], f"configuration {named['endpointConfigName']}")
        del self.configs[region, named["endpointConfigName"]]

    def _note_use(self, region: str, config: str, what: str) -> None:
        for (where, name), endpoint in self.endpoints.items():
            uses = config in (endpoint["config"], endpoint.get("becoming"))
            if where == region and uses and endpoint["status"] != "Deleting":
                self.broken.append(f"{what} deleted under endpoint {name}")

    # --- endpoints

    def _CreateEndpoint(self, region: str, asked: Mapping[str, Any], stamp: str) -> None:  # noqa: N802
        config = self._config(region, asked["EndpointConfigName"])
        self.endpoints[region, asked["EndpointName"]] = {
            "status": "Creating",
            "config": asked["EndpointConfigName"],
            "variants": _variants(config),
            "created": stamp,
            "modified": stamp,
            "left": self.takes,
        }

    def _UpdateEndpoint(self, region: str, asked: Mapping[str, Any], stamp: str) -> None:  # noqa: N802
        endpoint = self.endpoints.get((region, asked["EndpointName"]))
        if endpoint is None:
            raise Refused("ValidationException", "Could not find endpoint")
        if endpoint["status"] in CHANGING or endpoint["status"] == "Failed":
            raise Refused("ValidationException", "Cannot update in-progress endpoint")
        wanted = _variants(self._config(region, asked["EndpointConfigName"]))
        if asked.get("RetainAllVariantProperties"):
            excluded = {e["VariantPropertyType"] for e in asked.get("ExcludeRetainedVariantProperties", [])}
            for name, variant in wanted.items():
                current = endpoint["variants"].get(name)
                if current and "DesiredInstanceCount" not in excluded:
                    variant["count"] = current["count"]
                if current and "DesiredWeight" not in excluded:
                    variant["weight"] = current["weight"]
        endpoint |= {
            "status": "Updating",
            "becoming": asked["EndpointConfigName"],
            "wanted": wanted,
            "modified": stamp,
            "left": self.takes,
        }
        endpoint.pop("failure", None)

    def _DeleteEndpoint(self, region: str, named: Mapping[str, Any], stamp: str) -> None:  # noqa: N802
        endpoint = self.endpoints[region, named["EndpointName"]]
        if endpoint["status"] in CHANGING:
            raise Refused("ValidationException", "Cannot delete in-progress endpoint")
        endpoint |= {"status": "Deleting", "modified": stamp, "left": 1}

    def _config(self, region: str, name: str) -> Json:
        config = self.configs.get((region, name))
        if config is None:
            raise Refused("ValidationException", f'Could not find endpoint configuration "{name}".')
        return config

    def tick(self, stamp: str) -> None:
        """What is under way gets on."""
        for key, endpoint in list(self.endpoints.items()):
            if endpoint["status"] not in CHANGING:
                continue
            endpoint["left"] -= 1
            if endpoint["left"] > 0:
                continue
            endpoint["modified"] = stamp
            if endpoint["status"] == "Deleting":
                del self.endpoints[key]
            elif endpoint["status"] == "Creating":
                fails = endpoint["config"] in self.failing_configs
                endpoint.update(
                    {"status": "Failed", "failure": "no ping"} if fails else {"status": "InService"}
                )
            else:
                becoming, wanted = endpoint.pop("becoming"), endpoint.pop("wanted")
                endpoint["status"] = "InService"
                if becoming in self.failing_configs:
                    endpoint["failure"] = "no ping"
                else:
                    endpoint.update(config=becoming, variants=wanted)

    # --- autoscaling

    def _RegisterScalableTarget(self, region: str, spec: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        endpoint = self.endpoints.get((region, spec["resourceID"].split("/")[1]))
        if endpoint is None:
            raise Refused("ValidationException", "Could not find endpoint")
        if endpoint["status"] != "InService":
            raise Refused(
                "ValidationException",
                "The status should be in 'InService' to register it as a scalable target",
            )
        before = self.targets.get((region, spec["resourceID"]), {})
        self.targets[region, spec["resourceID"]] = {**before, **spec}

    def _DeregisterScalableTarget(self, region: str, named: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        del self.targets[region, named["resourceID"]]
        for key in [
            key for key in self.policies if key[0] == region and key[1].endswith(f"@{named['resourceID']}")
        ]:
            self.broken.append(f"policy {key[1]} went with its target")
            del self.policies[key]

    def _PutScalingPolicy(self, region: str, spec: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        if (region, spec["resourceID"]) not in self.targets:
            raise Refused("ObjectNotFoundException", "No scalable target registered")
        self.policies[region, f"{spec['policyName']}@{spec['resourceID']}"] = dict(spec)

    def _DeleteScalingPolicy(self, region: str, named: Mapping[str, Any], _stamp: str) -> None:  # noqa: N802
        del self.policies[region, f"{named['policyName']}@{named['resourceID']}"]

    # --- answers

    def answer(self, question: Question, now: datetime) -> Answer:
        """A read-only call of the bridge."""
        if self.asked_as != ACCOUNT:
            known = question.account not in ("", self.asked_as)
            listed = {
                "DescribeScalableTargets": "ScalableTargets",
                "DescribeScalingPolicies": "ScalingPolicies",
            }.get(question.operation)
            unknown = Found({listed: []}, now) if listed else NotFound(now)
            return Failure("WrongAccount", "", False, now) if known else unknown
        asked = dict(question.parameters)
        region = question.region
        match question.operation:
            case "DescribeModel":
                found: Json | None = self.models.get((region, asked["ModelName"]))
            case "DescribeEndpointConfig":
                found = self.configs.get((region, asked["EndpointConfigName"]))
            case "DescribeEndpoint":
                found = self.described(region, asked["EndpointName"])
            case "DescribeScalableTargets":
                target = self.targets.get((region, asked["ResourceIds"][0]))
                found = {"ScalableTargets": [target] if target else []}
            case "DescribeScalingPolicies":
                key = f"{asked['PolicyNames'][0]}@{asked['ResourceId']}"
                policy = self.policies.get((region, key))
                found = {"ScalingPolicies": [policy] if policy else []}
        return NotFound(now) if found is None else Found(copy.deepcopy(found), now)

    def described(self, region: str, name: str) -> Json | None:
        """DescribeEndpoint's answer."""
        endpoint = self.endpoints.get((region, name))
        if endpoint is None:
            return None
        config = endpoint["config"]
        if self.names_new_config_at_once:
            config = endpoint.get("becoming", config)
        answer: Json = {
            "EndpointName": name,
            "EndpointArn": f"arn:aws:sagemaker:{region}:{ACCOUNT}:endpoint/{name}",
            "EndpointConfigName": config,
            "EndpointStatus": endpoint["status"],
            "CreationTime": _moment(endpoint["created"]),
            "LastModifiedTime": _moment(endpoint["modified"]),
            "ProductionVariants": [
                {
                    "VariantName": variant,
                    "CurrentInstanceCount": now["count"],
                    "DesiredInstanceCount": now["count"],
                    "CurrentWeight": now["weight"],
                    "DesiredWeight": now["weight"],
                }
                for variant, now in endpoint["variants"].items()
            ],
        }
        if "failure" in endpoint:
            answer["FailureReason"] = endpoint["failure"]
        return answer


def _variants(config: Mapping[str, Any]) -> dict[str, Json]:
    return {
        v["variantName"]: {"count": v["initialInstanceCount"], "weight": v["initialVariantWeight"]}
        for v in config["productionVariants"]
    }


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
