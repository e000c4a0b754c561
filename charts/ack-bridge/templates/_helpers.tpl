{{- define "ack-bridge.name" -}}
{{- if contains "ack-bridge" .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-ack-bridge" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "ack-bridge.selector" -}}
app.kubernetes.io/name: ack-bridge
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ack-bridge.labels" -}}
{{ include "ack-bridge.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "ack-bridge.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "ack-bridge.name" .) .Values.serviceAccount.name }}
{{- else -}}
{{ required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- define "ack-bridge.namespaced" -}}
{{- if eq .Values.installScope "namespace" -}}true{{- end -}}
{{- end -}}

{{- define "ack-bridge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
