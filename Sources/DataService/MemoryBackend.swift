// SPDX-License-Identifier: Apache-2.0

internal import Keyring

/// The backend `memory`: private halves are unsealed in this process.
final class MemoryBackend: SignBackend {
    let name = "memory"
    private let clusterKeys: ClusterKeys

    init(_ clusterKeys: ClusterKeys) { self.clusterKeys = clusterKeys }

    func open(_ row: StoredKey) async throws -> SigningKey { try await clusterKeys.open(row) }

    func close() { clusterKeys.close() }
}

extension DataServerSettings.Backend {
    /// Another one is another case and a file of its own.
    func open(_ clusterKeys: ClusterKeys) -> any SignBackend {
        switch self {
        case .memory: MemoryBackend(clusterKeys)
        }
    }
}
