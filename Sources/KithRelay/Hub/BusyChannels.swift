import KithWire

/// The busy channels, and the requests that wait for busy channels. While `withStoreAccess` runs a task for a channel, the
/// channel is busy.
struct BusyChannels {
    private struct Work {
        var tasks = 0
        var waiting: [HubEvent] = []
    }
    private var work: [ChannelID: Work] = [:]

    var isEmpty: Bool { work.isEmpty }

    func contains(_ channel: ChannelID) -> Bool { work[channel] != nil }

    /// Notes the start of a task for the channel.
    mutating func begin(_ channel: ChannelID) { work[channel, default: Work()].tasks += 1 }

    /// Notes the end of a task for the channel. If the channel has no other task, removes and returns the channel's waiting
    /// requests, in the order of arrival. Otherwise returns no requests.
    mutating func end(_ channel: ChannelID) -> [HubEvent] {
        work[channel]?.tasks -= 1
        guard work[channel]?.tasks == 0 else { return [] }
        return work.removeValue(forKey: channel)?.waiting ?? []
    }

    /// Adds a request that waits until the channel's tasks have ended.
    mutating func enqueue(_ event: HubEvent, for channel: ChannelID) { work[channel]?.waiting.append(event) }

    /// Removes and returns the waiting requests for which `isRefused` returns `true`. The order of the remaining requests does
    /// not change.
    mutating func removeWaiting(for channel: ChannelID, where isRefused: (HubEvent) -> Bool) -> [HubEvent] {
        let waiting = work[channel]?.waiting ?? []
        work[channel]?.waiting = waiting.filter { !isRefused($0) }
        return waiting.filter(isRefused)
    }
}

/// The requests that require no access right and wait for a read of the store. Each channel has one queue of such requests.
/// Each queue has its own task.
struct UnprovenRequests {
    private var queues: [ChannelID: [HubEvent]] = [:]

    /// Adds a request to its channel's queue. Returns whether the queue is new and needs a task.
    mutating func enqueue(_ event: HubEvent, for channel: ChannelID) -> Bool {
        let isNew = queues[channel] == nil
        queues[channel, default: []].append(event)
        return isNew
    }

    /// Removes and returns all requests about a channel. Deletes the channel's queue if the queue has no requests.
    mutating func takeAll(for channel: ChannelID) -> [HubEvent] {
        guard let events = queues[channel], !events.isEmpty else {
            queues[channel] = nil
            return []
        }
        queues[channel] = []
        return events
    }
}
