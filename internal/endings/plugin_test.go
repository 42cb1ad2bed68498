//go:build plugin

package endings_test

import (
	"fmt"
	"os"
	"plugin"
	"reflect"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/endings"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

// What the plugin has its own copies of.
var (
	pluginTold  func(inner func(*hemlock.Pool, func()), task func()) int64
	pluginDo    func(p *hemlock.Pool, task func())
	pluginCrash func(task func())
)

// The other tests of the package run the plugin's tasks on the host's pools.
func init() {
	p, err := plugin.Open(os.Getenv("HEMLOCK_TEST_PLUGIN"))
	if err != nil {
		panic(err)
	}
	tasks = lookup[func() []endings.Ending](p, "All")()
	pluginTold = lookup[func(func(*hemlock.Pool, func()), func()) int64](p, "Told")
	pluginDo = lookup[func(*hemlock.Pool, func())](p, "Do")
	pluginCrash = lookup[func(func())](p, "CrashDuringShutdown")
	for _, way := range everyTask() {
		children["plugin/"+way.Name] = func() { pluginCrash(way.Task) }
	}
}

func lookup[T any](p *plugin.Plugin, name string) T {
	symbol, err := p.Lookup(name)
	if err != nil {
		panic(err)
	}
	return symbol.(T)
}

// everyTask are the tasks of the host and those of the plugin.
func everyTask() (all []endings.Ending) {
	for of, tasks := range map[string][]endings.Ending{"host": endings.All(raise), "plugin": tasks} {
		for _, e := range tasks {
			e.Name = of + "/" + e.Name
			all = append(all, e)
		}
	}
	return all
}

// Without this the tests would show nothing.
func TestPluginHasItsOwnTasks(t *testing.T) {
	for i, e := range endings.All(raise) {
		if e.Crash != "" {
			require.NotEqual(t, reflect.ValueOf(e.Task).Pointer(), reflect.ValueOf(tasks[i].Task).Pointer(), e.Name)
		}
	}
}

// Pitfall 71: the handler is told in every combination: the pool, the inner Do and the
// task may each be the host's or the plugin's.
func TestHandlerIsToldBetweenHostAndPlugin(t *testing.T) {
	for i, told := range []func(func(*hemlock.Pool, func()), func()) int64{endings.Told, pluginTold} {
		for j, do := range []func(*hemlock.Pool, func()){endings.Do, pluginDo} {
			for _, e := range everyTask() {
				t.Run(fmt.Sprintf("%d/%d/%s", i, j, e.Name), func(t *testing.T) {
					requireTold(t, e, told(do, e.Task))
				})
			}
		}
	}
}

// Pitfall 71: a crash in a plugin's pool ends the process, too.
func TestEachPanicInThePoolOfAPluginEndsTheProcess(t *testing.T) {
	for _, e := range everyTask() {
		if e.Crash != "" {
			t.Run(e.Name, func(t *testing.T) {
				pooltest.RequireCrashes(t, "plugin/"+e.Name, pooltest.Scaled(20), e.Crash)
			})
		}
	}
}
