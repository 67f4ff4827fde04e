// SPDX-License-Identifier: Apache-2.0

internal import Transport

/// From names to servers: resolved at first, every `resolveEvery`, and soon after a server was lost, since it may have
/// moved.
extension Channel {
    func resolve() {
        guard !isResolving, !isClosed else { return }
        isResolving = true
        loop.spawn(holding: self) { await $0.resolveOnce() }
    }

    private func resolveOnce() async {
        var found: [(Address, String?)] = []
        var failure: String?
        for endpoint in endpoints {
            switch endpoint {
            case .unix(let path): found.append((.unix(path), nil))
            case .host(let host, let port):
                do {
                    found += try await settings.resolver.addresses(of: host, port: port).map { ($0, host) }
                } catch {
                    failure = "\(error)"
                }
            }
        }
        isResolving = false
        guard !isClosed else { return }
        resolvedAt = loop.clock.nanoseconds()
        isResolved = true
        nameFailure = failure
        // A name that does not resolve just now keeps the servers that it had.
        if failure != nil {
            let known = subchannels.values.map { ($0.address, $0.serverName) }
            found += known.filter { old in !found.contains { $0.0 == old.0 && $0.1 == old.1 } }
        }
        adopt(found)
        schedule(after: failure == nil ? settings.resolveEvery : settings.backoff.most)
    }

    private func schedule(after delay: Duration) {
        if let resolving { loop.cancel(resolving) }
        resolving = loop.schedule(after: min(delay, settings.resolveEvery)) { [weak self] in self?.resolve() }
    }

    /// A server has come or gone.
    private func changed(_ subchannel: Subchannel) {
        guard subchannels[subchannel.id] === subchannel else { return }
        let isReady = subchannel.connection != nil
        policy.setReady(subchannel.id, isReady)
        if !isReady, !isResolving {
            let since = Duration.nanoseconds(Int64(clamping: loop.clock.nanoseconds() &- resolvedAt))
            schedule(after: max(.zero, settings.resolvePause - since))
        }
        serveWaiters()
    }

    private func adopt(_ found: [(Address, String?)]) {
        var kept: [Int] = []
        var started: [Subchannel] = []
        for (address, name) in found {
            if let known = subchannels.values.first(where: { $0.address == address && $0.serverName == name })
            {
                if !kept.contains(known.id) { kept.append(known.id) }
                continue
            }
            lastID += 1
            let subchannel = Subchannel(
                id: lastID, address: address, serverName: name, settings: settings, loop: loop)
            subchannel.changed = { [weak self] in self?.changed($0) }
            subchannels[lastID] = subchannel
            kept.append(lastID)
            started.append(subchannel)
        }
        for (id, subchannel) in subchannels where !kept.contains(id) {
            subchannels[id] = nil
            subchannel.close()
        }
        let start = Int(settings.chance() * Double(max(1, kept.count)))
        policy.update(kept.sorted(), window: settings.window, start: start)
        // The first to be connected gets the first call, so chance decides here as well.
        let turn = started.isEmpty ? 0 : start % started.count
        for subchannel in started[turn...] + started[..<turn] { subchannel.start() }
        serveWaiters()
    }
}
