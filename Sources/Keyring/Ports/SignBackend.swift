// SPDX-License-Identifier: Apache-2.0

/// Where private halves are used: what `[sign-backend] type` in the settings chooses.
///
/// `memory` unseals them in the data-server's locked memory. A backend whose keys never leave a hardware module is one file
/// more: its `SigningKey` is made of handles that ask the module. Permits, drafts, the verification of each signature and the
/// record are the same for all.
public protocol SignBackend: Sendable {
    /// The name by which the settings choose it.
    var name: String { get }

    /// The key of a row that was found to be genuine, ready to sign. What is away throws an error of the category
    /// `unavailable`, and is asked again within the job's deadline.
    func open(_ row: StoredKey) async throws -> SigningKey

    /// Lets go of all that it holds.
    func close()
}
