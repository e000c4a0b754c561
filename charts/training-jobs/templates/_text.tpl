{{- /* A value as it was written: Helm reads every number as a float, and large ones would get an exponent. */ -}}
{{- define "training-jobs.text" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}
{{ int64 . }}
{{- else -}}
{{ toString . }}
{{- end -}}
{{- end -}}
