// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Glibc
internal import Signatures

let artifactsTargets: [FuzzTarget] = [
    FuzzTarget("rpm-header") { input in
        for region in [RPMHeader.Region.main, .signature] {
            guard let header = try? RPMHeader(input, region) else { continue }
            guard header.bytes == input, RPMHeader.begins(input.span) else {
                throw BrokenPromise("another header than the input")
            }
            if region == .main {
                let package = header.package
                guard !package.name.isEmpty, !package.architecture.isEmpty, "\(package)".utf8.count < 1100
                else {
                    throw BrokenPromise("accepted without a name: \(package)")
                }
                _ = header.payloadDigests
            }
        }
    },
    FuzzTarget("kernel-module") { input in
        guard let facts = try? Claim(.module, .bytes(input)).facts() else { return }
        guard facts.size == UInt64(input.count), facts.module != nil, !facts.isBlind else {
            throw BrokenPromise("taken without facts")
        }
    },
    // A whole package in a file: what is stripped is stripped for good.
    FuzzTarget("rpm-package") { input in
        let path = "/dev/shm/signet-fuzz-\(getpid())"
        try write(input, to: path)
        defer { unsafe unlink(path) }
        _ = try? Artifact(reading: path, as: .rpm)
        guard let patch = try? Artifact.patch(stripping: path, as: .rpm) else { return }
        try patch.apply()
        guard try Artifact.patch(stripping: path, as: .rpm) == nil,
            try Artifact.signatures(of: path, as: .rpm).isEmpty
        else { throw BrokenPromise("a stripped package has a signature") }
    },
]

private func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(file) }
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw BrokenPromise("\(path) could not be written") }
}
