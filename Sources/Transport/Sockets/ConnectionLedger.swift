// SPDX-License-Identifier: Apache-2.0

/// Who holds how many connections of a listener.
struct ConnectionLedger {
    private(set) var total = 0
    private var addresses: [Address: Int] = [:]
    private var peers: [[UInt8]: Int] = [:]

    /// Books a connection from an address, unless the listener or the address has its fill.
    mutating func admit(_ address: Address, _ limits: TransportLimits) -> Bool {
        guard total < limits.connections else { return false }
        if let client = address.client {
            guard addresses[client, default: 0] < limits.connectionsPerAddress else { return false }
            addresses[client, default: 0] += 1
        }
        total += 1
        return true
    }

    /// Books a connection, known by now, for the certificate that it showed.
    mutating func admit(peer fingerprint: [UInt8], _ limits: TransportLimits) -> Bool {
        guard peers[fingerprint, default: 0] < limits.connectionsPerPeer else { return false }
        peers[fingerprint, default: 0] += 1
        return true
    }

    mutating func release(_ address: Address) {
        total -= 1
        if let client = address.client { Self.decrease(&addresses, client) }
    }

    mutating func release(peer fingerprint: [UInt8]) {
        Self.decrease(&peers, fingerprint)
    }

    private static func decrease<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
