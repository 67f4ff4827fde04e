// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One room of the house: a target, the floor it stands on and the lower rooms that it uses.
struct Room {
    enum Sort {
        /// A system library: a module map and a `shim.h`.
        case library(pkgConfig: String?, debian: String)
        /// Swift sources under `Sources/NAME`, tests under `Tests/NAMETests`.
        case sources
        /// A program: `main.swift` only.
        case program
        /// What builds and proves the house and is no part of it: a library, a program or tests under another folder.
        case workshop(Workshop, path: String)
    }

    enum Workshop {
        case library
        case program
        case tests
    }

    var floor: Int
    var name: String
    var sort: Sort = .sources
    var uses: [String] = []
    /// What the tests of this room need besides the room, what it uses and `TestSupport`.
    var testUses: [String] = []
    /// `Lifetimes` is still experimental: a rename in the next compiler may touch these rooms and no other.
    var lifetimes = false
}

/// libFuzzer brings its own `main`, so this one exists only while `make fuzz` builds it.
let fuzzer = Room(
    floor: 12, name: "fuzz", sort: .workshop(.program, path: "Fuzz/Driver"), uses: ["FuzzTargets"])

// The table of floors. A room uses rooms of lower floors only.
let house: [Room] =
    [
        Room(floor: 0, name: "COpenSSL", sort: .library(pkgConfig: "openssl", debian: "libssl-dev")),
        Room(floor: 0, name: "CLinux", sort: .library(pkgConfig: nil, debian: "libc6-dev")),
        Room(floor: 0, name: "CNGHTTP2", sort: .library(pkgConfig: "libnghttp2", debian: "libnghttp2-dev")),
        Room(floor: 0, name: "CMariaDB", sort: .library(pkgConfig: "libmariadb", debian: "libmariadb-dev")),
        // The header alone: modules are opened as the program runs.
        Room(floor: 0, name: "CPKCS11", sort: .library(pkgConfig: nil, debian: "libp11-kit-dev")),

        Room(floor: 1, name: "Bytes", lifetimes: true),
        Room(floor: 1, name: "Diagnostics", testUses: ["error-reference"]),

        Room(floor: 2, name: "ASN1", uses: ["Bytes"]),
        Room(floor: 2, name: "Protobuf", uses: ["Bytes"]),
        Room(
            floor: 2, name: "Secrets", uses: ["COpenSSL", "CLinux", "Bytes", "Diagnostics"],
            testUses: ["secrets-probe"], lifetimes: true),
        Room(floor: 2, name: "Settings", uses: ["Bytes", "Diagnostics"]),

        Room(
            floor: 3, name: "Cryptography", uses: ["COpenSSL", "ASN1", "Bytes", "Diagnostics", "Secrets"],
            testUses: ["secrets-probe"]),

        Room(
            floor: 4, name: "MariaDB",
            uses: ["CMariaDB", "Bytes", "Diagnostics", "Secrets", "Settings", "Cryptography"]),
        Room(
            floor: 4, name: "Transport",
            uses: ["COpenSSL", "CLinux", "Bytes", "Diagnostics", "Secrets", "Cryptography"],
            testUses: ["TestPeers"]),

        Room(
            floor: 5, name: "HTTP2", uses: ["CNGHTTP2", "Diagnostics", "Transport"],
            testUses: ["wire-target", "TestPeers"]),
        Room(
            floor: 5, name: "Signatures", uses: ["ASN1", "Bytes", "Cryptography", "Diagnostics", "Secrets"]),

        Room(
            floor: 6, name: "GRPC", uses: ["Bytes", "Diagnostics", "Protobuf", "Transport", "HTTP2"],
            testUses: ["TestPeers"]),
        Room(
            floor: 6, name: "HTTP",
            uses: ["Bytes", "Diagnostics", "Cryptography", "Secrets", "Transport", "HTTP2"],
            testUses: ["MemoryScan"]),
        Room(
            floor: 6, name: "Keyring",
            uses: ["Bytes", "Diagnostics", "Secrets", "Cryptography", "Signatures"],
            testUses: ["MemoryScan"]),

        Room(
            floor: 7, name: "SigningProtocol",
            uses: ["Bytes", "Cryptography", "Diagnostics", "GRPC", "Protobuf", "Transport"],
            testUses: ["TestPeers"]),
        Room(
            floor: 7, name: "Artifacts",
            uses: ["CLinux", "Bytes", "Diagnostics", "Cryptography", "Signatures"],
            testUses: ["ASN1", "SampleFiles", "Secrets", "artifact-probe"]),

        Room(
            floor: 7, name: "KMS",
            uses: [
                "CPKCS11", "Bytes", "Diagnostics", "Secrets", "Settings", "Cryptography", "Transport",
                "HTTP2",
                "HTTP", "Keyring",
            ], testUses: ["MemoryScan", "TestPeers"]),

        Room(
            floor: 8, name: "Storage",
            uses: ["Bytes", "Diagnostics", "Secrets", "Cryptography", "MariaDB", "Signatures", "Keyring"]),
        Room(
            floor: 8, name: "Verification",
            uses: ["Artifacts", "Bytes", "Cryptography", "Diagnostics", "Settings", "Signatures"],
            testUses: ["ASN1", "SampleFiles", "Secrets"]),

        Room(
            floor: 9, name: "Console",
            uses: [
                "Bytes",
                "Cryptography",
                "Diagnostics",
                "HTTP",
                "HTTP2",
                "Secrets",
                "Settings",
                "Signatures",
                "Transport",
                "Verification",
            ]),

        Room(
            floor: 9, name: "SigningClient",
            uses: [
                "ASN1", "Artifacts", "Bytes", "Cryptography", "Diagnostics", "GRPC", "Signatures",
                "SigningProtocol",
                "Transport",
            ],
            testUses: ["ASN1", "SampleFiles"]),

        Room(
            floor: 9, name: "ControlService",
            uses: [
                "ASN1",
                "Bytes",
                "Cryptography",
                "Diagnostics",
                "HTTP",
                "HTTP2",
                "Keyring",
                "KMS",
                "MariaDB",
                "Secrets",
                "Settings",
                "Signatures",
                "Storage",
                "Transport",
            ],
            testUses: ["control-admin", "control-server"]),

        Room(
            floor: 9, name: "DataService",
            uses: [
                "Artifacts",
                "Bytes",
                "Cryptography",
                "Diagnostics",
                "GRPC",
                "HTTP",
                "HTTP2",
                "KMS",
                "Keyring",
                "MariaDB",
                "Secrets",
                "Settings",
                "Signatures",
                "SigningProtocol",
                "Transport",
            ], testUses: ["ASN1", "MemoryScan", "SampleFiles", "SigningFarm", "TestPeers", "data-server"]),

        Room(
            floor: 10, name: "data-server", sort: .program,
            uses: [
                "DataService", "Diagnostics", "KMS", "Keyring", "MariaDB", "Secrets", "Settings", "Storage",
                "Transport",
            ]),
        Room(
            floor: 10, name: "signet", sort: .program,
            uses: ["Console", "Diagnostics", "Signatures", "SigningClient", "Transport"]),
        Room(
            floor: 10, name: "control-admin", sort: .program,
            uses: ["ControlService", "Diagnostics", "Keyring", "Settings"]),
        Room(
            floor: 10, name: "control-server", sort: .program,
            uses: [
                "ControlService",
                "Diagnostics",
                "HTTP",
                "Keyring",
                "MariaDB",
                "Secrets",
                "Settings",
                "Transport",
            ]),

        Room(
            floor: 11, name: "error-reference", sort: .workshop(.program, path: "Scripts/error-reference"),
            uses: ["Diagnostics"]),
        Room(
            floor: 10, name: "MemoryScan", sort: .workshop(.library, path: "Tests/MemoryScan"),
            uses: ["Cryptography", "Secrets"]),
        Room(
            floor: 11, name: "secrets-probe", sort: .workshop(.program, path: "Tests/SecretsProbe"),
            uses: ["CLinux", "Cryptography", "Diagnostics", "MemoryScan", "Secrets"]),
        Room(
            floor: 11, name: "wire-target", sort: .workshop(.program, path: "Tests/WireTarget"),
            uses: ["GRPC", "HTTP", "HTTP2", "Transport"]),
        Room(
            floor: 11, name: "TestSupport", sort: .workshop(.library, path: "Tests/TestSupport"),
            uses: ["CLinux"]),
        Room(
            floor: 11, name: "artifact-probe", sort: .workshop(.program, path: "Tests/ArtifactProbe"),
            uses: ["Artifacts", "Diagnostics", "Signatures"]),
        Room(
            floor: 11, name: "SampleFiles", sort: .workshop(.library, path: "Tests/SampleFiles"),
            uses: ["Bytes", "Cryptography"]),
        Room(
            floor: 11, name: "FuzzTargets", sort: .workshop(.library, path: "Fuzz/Targets"),
            uses: [
                "ASN1",
                "Artifacts",
                "Bytes",
                "ControlService",
                "Cryptography",
                "Diagnostics",
                "GRPC",
                "HTTP",
                "HTTP2",
                "KMS",
                "Keyring",
                "MariaDB",
                "Protobuf",
                "Secrets",
                "Settings",
                "Signatures",
                "SigningProtocol",
                "Storage",
                "Verification",
            ]),
        Room(
            floor: 12, name: "TestPeers", sort: .workshop(.library, path: "Tests/TestPeers"),
            uses: ["Diagnostics", "TestSupport", "Transport"]),
        Room(
            floor: 13, name: "SigningFarm", sort: .workshop(.library, path: "Tests/SigningFarm"),
            uses: [
                "ASN1", "Cryptography", "Diagnostics", "KMS", "Keyring", "MariaDB", "MemoryScan", "Secrets",
                "Signatures", "Storage", "TestPeers", "TestSupport",
            ]),
        Room(
            floor: 12, name: "CorpusTests", sort: .workshop(.tests, path: "Tests/CorpusTests"),
            uses: ["FuzzTargets", "TestSupport"]),
        Room(
            floor: 12, name: "FirstLightTests", sort: .workshop(.tests, path: "Tests/FirstLightTests"),
            uses: [
                "Diagnostics", "MemoryScan", "SampleFiles", "TestSupport", "control-admin", "control-server",
                "data-server", "signet",
            ]),
        Room(
            floor: 12, name: "WorkshopTests", sort: .workshop(.tests, path: "Tests/WorkshopTests"),
            uses: ["TestSupport"]),
        Room(
            floor: 12, name: "samples", sort: .workshop(.program, path: "Scripts/sample-files"),
            uses: ["SampleFiles"]),
        Room(
            floor: 14, name: "bench", sort: .workshop(.program, path: "Benchmarks"),
            uses: [
                "Artifacts",
                "Bytes",
                "Cryptography",
                "Diagnostics",
                "GRPC",
                "HTTP",
                "HTTP2",
                "Keyring",
                "MariaDB",
                "SampleFiles",
                "Signatures",
                "SigningFarm",
                "SigningProtocol",
                "Storage",
                "TestPeers",
                "TestSupport",
                "Transport",
            ]),
    ] + (Context.environment["FUZZ"] == nil ? [] : [fuzzer])

/// `ROOMS=Bytes,ASN1` leaves only these rooms with their tests and what they stand on: quick while one works on a room.
func reached(from rooms: Set<String>) -> Set<String> {
    var reached = rooms.union(["TestSupport"])
    var last: Set<String> = []
    while reached != last {
        last = reached
        for room in house where reached.contains(room.name) {
            reached.formUnion(room.uses + (rooms.contains(room.name) ? room.testUses : []))
        }
    }
    return reached
}

let chosen = Context.environment["ROOMS"].map { Set($0.split(separator: ",").map(String.init)) }
let built = chosen.map { rooms in house.filter { reached(from: rooms).contains($0.name) } } ?? house

// MARK: - From the table to targets

let floors = Dictionary(uniqueKeysWithValues: house.map { ($0.name, $0.floor) })
for room in house {
    for use in room.uses {
        guard let floor = floors[use] else {
            fatalError("\(room.name) uses \(use), which is not in the table")
        }
        if floor >= room.floor { fatalError("\(room.name) reaches up or sideways to \(use)") }
    }
}

func settings(lifetimes: Bool = false) -> [SwiftSetting] {
    let always: [SwiftSetting] = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]
    return lifetimes ? always + [.enableExperimentalFeature("Lifetimes")] : always
}

func names(_ names: [String]) -> [Target.Dependency] { names.map { .byName(name: $0) } }

let targets: [Target] = built.flatMap { room -> [Target] in
    switch room.sort {
    case .library(let pkgConfig, let debian):
        return [.systemLibrary(name: room.name, pkgConfig: pkgConfig, providers: [.apt([debian])])]
    case .program:
        return [.executableTarget(name: room.name, dependencies: names(room.uses), swiftSettings: settings())]
    case .workshop(.library, let path):
        return [
            .target(name: room.name, dependencies: names(room.uses), path: path, swiftSettings: settings())
        ]
    case .workshop(.program, let path):
        return [
            .executableTarget(
                name: room.name, dependencies: names(room.uses), path: path, swiftSettings: settings())
        ]
    case .workshop(.tests, let path):
        return [
            .testTarget(
                name: room.name, dependencies: names(room.uses), path: path, swiftSettings: settings())
        ]
    case .sources:
        let tested =
            [room.name, "TestSupport"] + room.uses.filter { !room.testUses.contains($0) } + room.testUses
        let target = Target.target(
            name: room.name, dependencies: names(room.uses),
            swiftSettings: settings(lifetimes: room.lifetimes))
        if let chosen, !chosen.contains(room.name) { return [target] }
        return [
            target,
            .testTarget(name: room.name + "Tests", dependencies: names(tested), swiftSettings: settings()),
        ]
    }
}

let package = Package(name: "signet", targets: targets, swiftLanguageModes: [.v6])
