// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension Array where Element == UInt8 {
    /// Wipes bytes that were secret and had to pass through here; nothing is left of them when nobody else holds the array.
    public mutating func wipe() {
        unsafe withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        removeAll()
    }
}
