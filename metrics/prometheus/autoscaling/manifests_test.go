package autoscaling_test

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
)

const (
	deploymentFile = "kubernetes/deployment.yaml"
	hpaFile        = "kubernetes/hpa.yaml"
	kedaFile       = "keda/scaledobject.yaml"
	adapterFile    = "prometheus-adapter/config.yaml"
)

// drain is how long the server gives its tasks to end once it was told to stop
// (examples/dnsserver).
const drain = 5

// decode reads a manifest into the type that its kind has in the API, as an API
// server with strict field validation does: an unknown, misspelt or repeated
// field is an error.
func decode[T runtime.Object](t *testing.T, manifest []byte) (T, error) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, kedav1alpha1.AddToScheme,
	} {
		require.NoError(t, add(scheme))
	}
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	object, _, err := codecs.UniversalDeserializer().Decode(manifest, nil, nil)
	if err != nil {
		var none T
		return none, err
	}
	require.IsType(t, *new(T), object)
	return object.(T), nil
}

func manifest[T runtime.Object](t *testing.T, file string) T {
	t.Helper()
	object, err := decode[T](t, read(t, file))
	require.NoError(t, err, file)
	return object
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return content
}

func TestDecodingIsStrict(t *testing.T) {
	const head = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n"
	for what, spec := range map[string]string{
		"unknown field":  "  maxReplicas: 2\n  maximumReplicas: 2\n",
		"wrong case":     "  maxreplicas: 2\n",
		"repeated field": "  maxReplicas: 2\n  maxReplicas: 3\n",
	} {
		_, err := decode[*autoscalingv2.HorizontalPodAutoscaler](t, []byte(head+spec))
		require.Error(t, err, what)
	}
	_, err := decode[*autoscalingv2.HorizontalPodAutoscaler](t, []byte(head+"  maxReplicas: 2\n"))
	require.NoError(t, err)

	_, err = config.FromYAML([]byte("rules: []\nrule: []\n"))
	require.Error(t, err)
}

func TestAutoscalersScaleTheDeployment(t *testing.T) {
	deployment := manifest[*appsv1.Deployment](t, deploymentFile)
	require.Nil(t, deployment.Spec.Replicas, "the autoscaler owns the number of replicas")

	hpa := manifest[*autoscalingv2.HorizontalPodAutoscaler](t, hpaFile)
	require.Equal(t, autoscalingv2.CrossVersionObjectReference{
		APIVersion: deployment.APIVersion, Kind: deployment.Kind, Name: deployment.Name,
	}, hpa.Spec.ScaleTargetRef)
	require.LessOrEqual(t, *hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas)

	scaled := manifest[*kedav1alpha1.ScaledObject](t, kedaFile)
	require.Equal(t, kedav1alpha1.ScaleTarget{
		APIVersion: deployment.APIVersion, Kind: deployment.Kind, Name: deployment.Name,
	}, *scaled.Spec.ScaleTargetRef)
	require.NoError(t, kedav1alpha1.CheckReplicaCountBoundsAreValid(scaled))
	require.NoError(t, kedav1alpha1.CheckFallbackValid(scaled))
	require.NoError(t, kedav1alpha1.ValidateTriggers(scaled.Spec.Triggers))
}

func TestBothAutoscalersSayTheSame(t *testing.T) {
	hpa := manifest[*autoscalingv2.HorizontalPodAutoscaler](t, hpaFile).Spec
	scaled := manifest[*kedav1alpha1.ScaledObject](t, kedaFile).Spec
	require.Equal(t, *hpa.MinReplicas, *scaled.MinReplicaCount)
	require.Equal(t, hpa.MaxReplicas, *scaled.MaxReplicaCount)
	require.Equal(t, hpa.Behavior, scaled.Advanced.HorizontalPodAutoscalerConfig.Behavior)

	target := hpa.Metrics[0].Pods.Target
	require.Equal(t, autoscalingv2.AverageValueMetricType, target.Type)
	require.Equal(t, target.Type, scaled.Triggers[0].MetricType)
	require.Equal(t, target.AverageValue.String(), scaled.Triggers[0].Metadata["threshold"])
}

// The scaler refuses a trigger without these, and ignores a name that it does not know
// (pkg/scalers/prometheus_scaler.go of KEDA 2.21): a misspelt one has no effect and
// gives no error.
func TestScalerKnowsTheTriggersMetadata(t *testing.T) {
	triggers := manifest[*kedav1alpha1.ScaledObject](t, kedaFile).Spec.Triggers
	require.Len(t, triggers, 1)
	require.Equal(t, "prometheus", triggers[0].Type)
	for _, required := range []string{"serverAddress", "query", "threshold"} {
		require.NotEmpty(t, triggers[0].Metadata[required])
	}
	known := []string{
		"serverAddress", "query", "queryParameters", "threshold", "activationThreshold",
		"namespace", "customHeaders", "ignoreNullValues", "unsafeSsl", "timeout",
	}
	for name := range triggers[0].Metadata {
		require.Contains(t, known, name)
	}
}

func TestPodOutlivesItsDrain(t *testing.T) {
	pod := manifest[*appsv1.Deployment](t, deploymentFile).Spec.Template.Spec
	sleep := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds
	require.Greater(t, *pod.TerminationGracePeriodSeconds, sleep+drain)
}

func container(t *testing.T) corev1.Container {
	t.Helper()
	return manifest[*appsv1.Deployment](t, deploymentFile).Spec.Template.Spec.Containers[0]
}

func TestDeploymentIsScrapedWhereItServesMetrics(t *testing.T) {
	deployment := manifest[*appsv1.Deployment](t, deploymentFile).Spec
	require.Equal(t, deployment.Selector.MatchLabels, deployment.Template.Labels)
	annotations := deployment.Template.Annotations
	require.Equal(t, "/metrics", annotations["prometheus.io/path"])
	require.Equal(t, "9090", annotations["prometheus.io/port"])
	require.Contains(t, container(t).Args, "-metrics=0.0.0.0:9090")
}

// Pitfall 61: a probe on a page that is slow under load, or with the default timeout of
// a second, removes the very replica that is loaded.
func TestProbeIsCheapAndPatient(t *testing.T) {
	c := container(t)
	probe := c.ReadinessProbe
	require.Equal(t, "/healthz", probe.HTTPGet.Path)
	require.Greater(t, probe.TimeoutSeconds, int32(1))
	require.LessOrEqual(t, probe.TimeoutSeconds, probe.PeriodSeconds)
	require.Greater(t, probe.FailureThreshold, int32(1))
	require.Nil(t, c.LivenessProbe, "a restart does not help a loaded replica")

	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	require.EqualValues(t, 9090, ports[probe.HTTPGet.Port.StrVal], "what -metrics serves")
}

// Pitfall 52: a client that reaches the metrics must not reach the profiles.
func TestDebugPagesAreOnLoopback(t *testing.T) {
	addr := flagValue(t, "http")
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), addr)
	for _, p := range container(t).Ports {
		require.NotEqual(t, port, strconv.Itoa(int(p.ContainerPort)), p.Name)
	}
}

func TestMemoryAndQueriesAreBounded(t *testing.T) {
	c := container(t)
	require.Len(t, c.Env, 1)
	require.Equal(t, "GOMEMLIMIT", c.Env[0].Name)
	from := c.Env[0].ValueFrom.ResourceFieldRef
	require.Equal(t, "limits.memory", from.Resource)
	require.True(t, from.Divisor.IsZero(), "the number is one of bytes")
	require.False(t, c.Resources.Limits.Memory().IsZero(), "without a limit it is the memory of the node")
	for name, least := range map[string]int{"memory-headroom": 5, "max": 1} {
		n, err := strconv.Atoi(flagValue(t, name))
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, least, name)
	}

	hpa := manifest[*autoscalingv2.HorizontalPodAutoscaler](t, hpaFile).Spec
	most, err := strconv.ParseInt(flagValue(t, "max"), 10, 64)
	require.NoError(t, err)
	require.Greater(t, most, hpa.Metrics[0].Pods.Target.AverageValue.Value(), "a bound below the target hides the load")
}

func flagValue(t *testing.T, name string) string {
	t.Helper()
	for _, arg := range container(t).Args {
		if value, ok := strings.CutPrefix(arg, "-"+name+"="); ok {
			return value
		}
	}
	require.Fail(t, "no argument -"+name)
	return ""
}
