"""One module an old kind: what data in `ack-mappings/` cannot say. `build` makes the translators of all."""

from __future__ import annotations

from collections.abc import Mapping

from translators.kinds.batchtransformjob import BatchTransformJobTranslator
from translators.kinds.endpointconfig import EndpointConfigTranslator
from translators.kinds.hostingautoscalingpolicy import HostingAutoscalingPolicyTranslator
from translators.kinds.hostingdeployment import HostingDeploymentTranslator
from translators.kinds.hyperparametertuningjob import HyperparameterTuningJobTranslator
from translators.kinds.model import ModelTranslator
from translators.kinds.processingjob import ProcessingJobTranslator
from translators.kinds.trainingjob import TrainingJobTranslator
from translators.mapping import Mappings
from translators.model import KindTranslator


def build(mappings: Mappings) -> Mapping[str, KindTranslator]:
    """Every translator by its old kind."""
    kinds = mappings.kinds
    translators: tuple[KindTranslator, ...] = (
        TrainingJobTranslator(kinds["TrainingJob"]),
        ProcessingJobTranslator(kinds["ProcessingJob"]),
        BatchTransformJobTranslator(kinds["BatchTransformJob"]),
        HyperparameterTuningJobTranslator(kinds["HyperparameterTuningJob"], kinds["TrainingJob"]),
        ModelTranslator(kinds["Model"]),
        EndpointConfigTranslator(kinds["EndpointConfig"]),
        HostingDeploymentTranslator(kinds["HostingDeployment"]),
        HostingAutoscalingPolicyTranslator(kinds["HostingAutoscalingPolicy"]),
    )
    return {translator.kind: translator for translator in translators}
