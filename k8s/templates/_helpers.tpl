{{- define "surety.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters: the names of processes and pods come behind it. */}}
{{- define "surety.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "surety.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "surety.selector" -}}
app.kubernetes.io/name: {{ include "surety.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "surety.labels" -}}
{{ include "surety.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "surety.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "surety.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "surety.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "surety.secretName" -}}
{{- default (include "surety.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- define "surety.migrationSecretName" -}}
{{- default (printf "%s-migration" (include "surety.fullname" .)) .Values.migration.existingSecret -}}
{{- end -}}

{{/* Empty where no files are needed. */}}
{{- define "surety.kafkaTlsSecret" -}}
{{- if .Values.kafkaTls.enabled -}}
{{- if and .Values.kafkaTls.clientCertificate (not .Values.kafkaTls.existingSecret) -}}
{{- fail "kafkaTls: clientCertificate needs existingSecret" -}}
{{- end -}}
{{- .Values.kafkaTls.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* How the brokers are spoken to, as variables of a container: `secret` has the password. */}}
{{- define "surety.kafkaSecurity" -}}
{{- $tls := .values.kafkaTls -}}
- name: SURETY_KAFKA_TLS
  value: {{ $tls.enabled | ternary "on" "off" | quote }}
{{- if and $tls.enabled $tls.existingSecret }}
- name: SURETY_KAFKA_TLS_CA
  value: /etc/surety/kafka-tls/ca.crt
{{- if $tls.clientCertificate }}
- name: SURETY_KAFKA_TLS_CERT
  value: /etc/surety/kafka-tls/tls.crt
- name: SURETY_KAFKA_TLS_KEY
  value: /etc/surety/kafka-tls/tls.key
{{- end }}
{{- end }}
- name: SURETY_KAFKA_SASL
  value: {{ .values.kafkaSasl | quote }}
{{- if ne .values.kafkaSasl "off" }}
{{- range $name := list "SURETY_KAFKA_USERNAME" "SURETY_KAFKA_PASSWORD" }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $.secret }}
      key: {{ $name }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What every pod has in common: where it may run, and that it may do nothing else there. */}}
{{- define "surety.podSpec" -}}
automountServiceAccountToken: false
# Kubernetes would add names like SURETY_INGRESS_PORT for each Service beside us, and a process
# refuses names under its prefix that it does not know.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  {{- if include "surety.kafkaTlsSecret" . }}
  - name: kafka-tls
    secret:
      secretName: {{ include "surety.kafkaTlsSecret" . }}
  {{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "surety.containerCommon" -}}
image: {{ include "surety.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if include "surety.kafkaTlsSecret" . }}
  - name: kafka-tls
    mountPath: /etc/surety/kafka-tls
    readOnly: true
  {{- end }}
{{- end -}}
