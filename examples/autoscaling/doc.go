// Package autoscaling has no code of its own. Beside it lie the manifests that
// README.md explains, and its tests hold them, the dashboard and the alert rules
// of metrics/prometheus against the types of the programs that read them, against
// PromQL, and against what the collector exports.
//
// It is a module of its own because those types are not our users'
// dependencies.
package autoscaling
