{{- define "footway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* Labels of a component: (list root name) */}}
{{- define "footway.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "footway.labels" -}}
{{- $root := index . 0 -}}
{{ include "footway.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "footway.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* The names of the services that are on. */}}
{{- define "footway.enabled" -}}
{{- $names := list -}}
{{- range $name, $s := .Values.services -}}
{{- if ne (toString $s.enabled) "false" -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{ $names | toJson }}
{{- end -}}

{{/* The deployment file: what the chart knows, under what config says. */}}
{{- define "footway.file" -}}
{{- $services := dict -}}
{{- $full := include "footway.fullname" . -}}
{{- $scheme := ternary "https" "http" .Values.tls.enabled -}}
{{- range $name, $s := .Values.services -}}
{{- if eq $s.wire "http" -}}
{{- /* The partners' door has what ends TLS before it, and none of its own. */ -}}
{{- $_ := set $services $name (dict "listen" (printf "0.0.0.0:%v" (int $s.port)) "address" (printf "%s://%s-%s.%s.svc:%v" (ternary "http" $scheme (eq $name "integrations")) $full $name $.Release.Namespace (int $s.port))) -}}
{{- else -}}
{{- /* The name without an address of its own resolves to every replica, for round_robin. */ -}}
{{- $_ := set $services $name (dict "listen" (printf "0.0.0.0:%v" (int $s.port)) "address" (printf "dns:///%s-%s-pods.%s.svc:%v" $full $name $.Release.Namespace (int $s.port))) -}}
{{- end -}}
{{- end -}}
{{- $file := dict "services" $services "telemetry" (dict "listen" (printf "0.0.0.0:%v" (int .Values.telemetry.port))) -}}
{{- if .Values.tls.enabled -}}
{{- $_ := set $file "security" (dict "certificate" "/run/tls/tls.crt" "key" "/run/tls/tls.key" "ca" "/run/tls/ca.crt") -}}
{{- end -}}
{{ mustMergeOverwrite $file (deepCopy .Values.config) | toYaml }}
{{- end -}}

{{- define "footway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "footway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Volumes of a pod: (list root configMap keys tlsSecret volume) */}}
{{- define "footway.volumes" -}}
{{- $root := index . 0 -}}
- name: deployment
  configMap: {name: {{ index . 1 }}}
- name: state
  {{- with index . 4 }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  emptyDir: {sizeLimit: 2Gi}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- with index . 2 }}
- name: secrets
  secret:
    secretName: {{ $root.Values.secrets.name }}
    defaultMode: 0400
    items:
      {{- range . }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- with index . 3 }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 0400}
{{- end }}
{{- end -}}

{{/* Mounts of its container: (list root keys tlsSecret) */}}
{{- define "footway.mounts" -}}
- {name: deployment, mountPath: /etc/footway, readOnly: true}
- {name: state, mountPath: /var/lib/footway}
- {name: tmp, mountPath: /tmp}
{{- if index . 1 }}
- {name: secrets, mountPath: {{ (index . 0).Values.secrets.mountPath }}, readOnly: true}
{{- end }}
{{- if index . 2 }}
- {name: tls, mountPath: /run/tls, readOnly: true}
{{- end }}
{{- end -}}

{{/* The name of a service's certificate Secret, or nothing: (list root name service) */}}
{{- define "footway.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.tls.enabled -}}
{{ (index . 2).tlsSecret | default (printf "%s-%s-tls" (include "footway.fullname" $root) (index . 1)) }}
{{- end -}}
{{- end -}}
