// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension PublicKey: Equatable {
    /// Whether both are the same key, however they came here.
    public static func == (one: PublicKey, other: PublicKey) -> Bool {
        if one === other { return true }
        guard one.algorithm == other.algorithm else { return false }
        let isEqual = unsafe EVP_PKEY_eq(one.pointer, other.pointer) == 1
        if !isEqual { dropErrors() }
        return isEqual
    }
}
