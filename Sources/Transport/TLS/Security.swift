// SPDX-License-Identifier: Apache-2.0

/// Whether connections have TLS. It is always said, never derived from a setting that happens to be empty.
public enum Security: Sendable {
    case plain
    case tls(TLSContext)
}
