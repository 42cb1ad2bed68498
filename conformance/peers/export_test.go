package peers

// ChannelWorkers returns the count of the pools on a single channel: they have no
// statistics.
func ChannelWorkers() int64 { return channelWorkers.Load() }
