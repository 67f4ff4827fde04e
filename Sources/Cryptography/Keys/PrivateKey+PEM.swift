// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Secrets

extension PrivateKey {
    /// The private key as a PEM text of PKCS#8, unencrypted, for a file that its owner alone may read.
    ///
    /// It is written into locked memory from `pkcs8()`, which is the only other place where the key is in clear.
    public func pem() throws -> SecretBytes {
        let secret = try pkcs8()
        let (head, tail) = ("-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n")
        // 48 bytes are a line of 64 characters.
        let (line, characters) = (48, Base64.standard.encodedCount(secret.count))
        let lines = (secret.count + line - 1) / line
        return try SecretBytes(capacity: head.utf8.count + characters + lines + tail.utf8.count) { output in
            for byte in head.utf8 { output.append(byte) }
            var place = 0
            while place < secret.count {
                let end = min(place + line, secret.count)
                try Base64.standard.encode(secret.bytes.extracting(place..<end), into: &output)
                output.append(0x0a)
                place = end
            }
            for byte in tail.utf8 { output.append(byte) }
        }
    }
}
