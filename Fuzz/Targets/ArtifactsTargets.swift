// SPDX-License-Identifier: Apache-2.0

internal import Artifacts

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
    }
]
