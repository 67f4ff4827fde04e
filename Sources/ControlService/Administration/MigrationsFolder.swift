// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the migrations lie when nobody says it: beside the program in an installation (`bin/control-admin` and
/// `share/signet/migrations`), else in the folder where it runs, which is right in a checkout.
enum MigrationsFolder {
    static let inCheckout = "migrations"

    static func found(program: String? = running) -> String {
        guard let program else { return inCheckout }
        let parts = program.split(separator: "/", omittingEmptySubsequences: false)
        let installed = (parts.dropLast(2) + ["share", "signet", "migrations"]).joined(separator: "/")
        return unsafe access(installed, R_OK) == 0 ? installed : inCheckout
    }

    /// The path of this process's program.
    private static var running: String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
