import KithWire

/// The deletions of a profile's blobs at relays, and the answers to the jobs that ask the relays.
struct FileDeletions {
    let profile: ProfileMachine

    /// Begins jobs. Called at the end of each step.
    func advance() {
        guard !profile.state.device.deletions.isEmpty else { return }
        profile.withDevice { device in
            device.deletions.removeExpired(at: device.wall, in: &device.step)
            for (id, blob) in device.deletions.startable(at: device.now) {
                guard let relay = device.relays[blob.relay] else {
                    device.deletions.finish(id, in: &device.step)
                    continue
                }
                device.deletions.didStart(id)
                device.step.transfer(
                    .deletion(DeletionJob(id: id, relay: relay, blob: blob.blob, write: blob.write)))
            }
        }
    }

    /// Notes that a relay no longer has a blob.
    func didDelete(_ id: TransferID) { profile.withDevice { $0.deletions.finish(id, in: &$0.step) } }
}
