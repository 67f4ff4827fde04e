// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB
internal import Settings

extension AdminProgram {
    func listClusterKeys(_ invocation: Invocation) async throws {
        let plane = try await plane(invocation)
        for (key, uses) in try await plane.rotation.list(for: Self.caller) {
            tell(
                "\(key.id)  \(key.plane.rawValue)  \(Timestamp.text(key.created))  \(uses) rows  wrapped by "
                    + "\(key.provider) \(key.secret.key) \(key.secret.version)")
        }
        await plane.pool.close()
    }

    func rotateClusterKeys(_ invocation: Invocation) async throws {
        let plane = try await plane(invocation)
        let chosen = invocation.text("plane").flatMap { Plane(rawValue: $0) }.map { [$0] } ?? Plane.allCases
        for one in chosen {
            let id = try await plane.rotation.rotate(one, by: Self.caller)
            tell("new cluster key of the \(one.rawValue) plane: \(id)")
        }
        try await reseal(plane)
    }

    func resealRows(_ invocation: Invocation) async throws { try await reseal(plane(invocation)) }

    private func reseal(_ plane: ControlPlane) async throws {
        let report = try await plane.rotation.round(by: Self.caller)
        await plane.pool.close()
        tell("\(report.resealed) rows sealed anew, \(report.retired) old cluster keys taken away")
        guard report.broken == 0 else {
            throw ControlError(
                .sealBroken,
                "\(report.broken) rows do not open under the cluster keys that they name, and were left")
        }
    }
}
