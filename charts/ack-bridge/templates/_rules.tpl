{{- /*
What each role may do. One rule is one reason; tests/charts/test_rbac.py holds every verb against what the
API server is really asked for, and takes each rule away to see that a request of these is refused.
*/ -}}

{{- define "ack-bridge.rules.run" -}}
# Old objects: watched; finalizers and generated names are written.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyKinds" . | nindent 4 }}
  verbs: [list, watch, patch]
# Their status.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyStatuses" . | nindent 4 }}
  verbs: [patch]
# Parts that the old operator made by itself: the models and the configuration of a deployment, and the
# training jobs that a tuning job spawned.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: [endpointconfigs, models, trainingjobs]
  verbs: [create, delete]
# What implements them.
- apiGroups: [sagemaker.services.k8s.aws]
  resources: {{- include "ack-bridge.ackKinds" . | nindent 4 }}
  verbs: [list, watch, create, patch, delete]
- apiGroups: [applicationautoscaling.services.k8s.aws]
  resources: [scalabletargets, scalingpolicies]
  verbs: [list, watch, create, patch, delete]
# News for people; get is for an Event that was written before a restart.
- apiGroups: [""]
  resources: [events]
  verbs: [create, get, patch]
# Whether the old operator runs.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list]
{{- end -}}

{{- define "ack-bridge.rules.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [ack-bridge]
  verbs: [get, patch]
{{- end -}}

{{- define "ack-bridge.legacyKinds" -}}
- batchtransformjobs
- endpointconfigs
- hostingautoscalingpolicies
- hostingdeployments
- hyperparametertuningjobs
- models
- processingjobs
- trainingjobs
{{- end -}}

{{- define "ack-bridge.legacyStatuses" -}}
- batchtransformjobs/status
- endpointconfigs/status
- hostingautoscalingpolicies/status
- hostingdeployments/status
- hyperparametertuningjobs/status
- models/status
- processingjobs/status
- trainingjobs/status
{{- end -}}

{{- define "ack-bridge.ackKinds" -}}
- endpointconfigs
- endpoints
- hyperparametertuningjobs
- models
- processingjobs
- trainingjobs
- transformjobs
{{- end -}}

{{- define "ack-bridge.rules.report" -}}
# Both sides.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyKinds" . | nindent 4 }}
  verbs: [list]
- apiGroups: [sagemaker.services.k8s.aws]
  resources: {{- include "ack-bridge.ackKinds" . | nindent 4 }}
  verbs: [list]
- apiGroups: [applicationautoscaling.services.k8s.aws]
  resources: [scalabletargets, scalingpolicies]
  verbs: [list]
# What is left of the CRD that AWS' own guide uses.
- apiGroups: [services.k8s.aws]
  resources: [adoptedresources]
  verbs: [list]
# Which CRDs there are, and what they drop.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list]
# Which operators run; get is for those that a migration has stopped.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# Whether `ack-bridge run` is at work.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [list]
# ACK's settings in annotations; the cluster is known by the uid of kube-system.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list]
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
# Whether the guard is in force.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicybindings]
  resourceNames: [ack-bridge-guard]
  verbs: [get]
{{- end -}}

{{- define "ack-bridge.rules.migrate" -}}
# Old objects: restored by rollback, let go by release.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyKinds" . | nindent 4 }}
  verbs: [get, create, patch, delete]
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyStatuses" . | nindent 4 }}
  verbs: [patch]
# ACK objects: adopting, and let go with retain.
- apiGroups: [sagemaker.services.k8s.aws]
  resources: {{- include "ack-bridge.ackKinds" . | nindent 4 }}
  verbs: [get, create, patch, delete]
- apiGroups: [applicationautoscaling.services.k8s.aws]
  resources: [scalabletargets, scalingpolicies]
  verbs: [get, create, patch, delete]
# The old CRDs to v1, and no others; what is not there yet has no name to go by.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [create]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames:
    {{- range include "ack-bridge.legacyKinds" . | fromYamlArray }}
    - {{ . }}.sagemaker.aws.amazon.com
    {{- end }}
  verbs: [get, patch]
# The old operator to zero, and back.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [patch]
# Whether its images can still be pulled: a test pod, which needs a node.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, create, delete]
- apiGroups: [""]
  resources: [nodes]
  verbs: [list]
# The journal's namespace, which is the chart's own.
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [{{ .Release.Namespace }}]
  verbs: [get]
# The guard against deleting old CRDs and namespaces.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
  verbs: [create]
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies]
  resourceNames: [ack-bridge-guard]
  verbs: [get]
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
  resourceNames: [ack-bridge-guard]
  verbs: [patch, delete]
{{- end -}}

{{- define "ack-bridge.rules.journal" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch, delete]
{{- end -}}

{{- define "ack-bridge.rules.readJournal" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list]
{{- end -}}

{{- define "ack-bridge.rules.reportNamespaced" -}}
# diff-report -n; the other reports look at the whole cluster.
- apiGroups: [sagemaker.aws.amazon.com]
  resources: {{- include "ack-bridge.legacyKinds" . | nindent 4 }}
  verbs: [list]
- apiGroups: [sagemaker.services.k8s.aws]
  resources: {{- include "ack-bridge.ackKinds" . | nindent 4 }}
  verbs: [list]
- apiGroups: [applicationautoscaling.services.k8s.aws]
  resources: [scalabletargets, scalingpolicies]
  verbs: [list]
{{- end -}}

{{- /* A role and its binding: for the whole cluster where `namespace` is empty. No subjects, no binding. */ -}}
{{- define "ack-bridge.role" }}
{{- $prefix := ternary "" "Cluster" (ne .namespace "") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- .labels | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
{{- if .subjects }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- .labels | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $prefix }}Role
  name: {{ .name }}
subjects:
  {{- toYaml .subjects | nindent 2 }}
{{- end }}
{{- end }}
