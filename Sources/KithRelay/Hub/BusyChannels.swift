import KithWire

/// The busy channels, and the requests that wait for them. A channel is busy while tasks that use the store work on it.
struct BusyChannels {
    private struct Work {
        var tasks = 0
        var waiting: [HubEvent] = []
    }
    private var work: [ChannelID: Work] = [:]

    var isEmpty: Bool { work.isEmpty }

    func contains(_ channel: ChannelID) -> Bool { work[channel] != nil }

    /// Counts a task that begins to work on the channel.
    mutating func begin(_ channel: ChannelID) { work[channel, default: Work()].tasks += 1 }

    /// Counts a task that has ended. If it was the channel's last task, returns the requests that waited, in their order.
    mutating func end(_ channel: ChannelID) -> [HubEvent] {
        work[channel]?.tasks -= 1
        guard work[channel]?.tasks == 0 else { return [] }
        return work.removeValue(forKey: channel)?.waiting ?? []
    }

    /// Stores a request until the channel's tasks have ended.
    mutating func enqueue(_ event: HubEvent, for channel: ChannelID) { work[channel]?.waiting.append(event) }

    /// Removes and returns the waiting requests for which `isRefused` returns `true`. The other requests stay in their order.
    mutating func removeWaiting(for channel: ChannelID, where isRefused: (HubEvent) -> Bool) -> [HubEvent] {
        let waiting = work[channel]?.waiting ?? []
        work[channel]?.waiting = waiting.filter { !isRefused($0) }
        return waiting.filter(isRefused)
    }
}

/// The requests that need no right and wait for the store, in one queue per channel. Each queue has its own task.
struct UnprovenRequests {
    private var queues: [ChannelID: [HubEvent]] = [:]

    /// Adds a request to its channel's queue. Returns whether the queue is new and needs a task.
    mutating func enqueue(_ event: HubEvent, for channel: ChannelID) -> Bool {
        let isNew = queues[channel] == nil
        queues[channel, default: []].append(event)
        return isNew
    }

    /// Removes and returns all requests about a channel. If there are none, the queue is deleted.
    mutating func takeAll(for channel: ChannelID) -> [HubEvent] {
        guard let events = queues[channel], !events.isEmpty else {
            queues[channel] = nil
            return []
        }
        queues[channel] = []
        return events
    }
}
