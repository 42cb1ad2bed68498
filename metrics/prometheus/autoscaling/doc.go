// Package autoscaling has no code of its own. Beside it lie the manifests that
// README.md explains. Its tests check them, and the dashboard and the alert rules in the
// directory above, against the types of the programs that read them, against PromQL,
// and against what the collector exports.
//
// It is a module of its own so that users of hemlock do not depend on those types.
package autoscaling
