// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
public import Diagnostics
internal import Glibc
public import Keyring
public import Secrets

/// The provider `dummy`: a wrapping key of 32 random bytes in a file, made at the first start and readable for its owner
/// alone. Whoever can read the file can open every key in the database, so it is refused in production.
public final class LocalKeyFile: KeyWrapping {
    public let provider = "dummy"
    private let key: WrappingKey

    public init(_ path: String, in environment: DeploymentEnvironment, log: Log) throws {
        guard environment != .production else {
            throw KMSError(
                .kmsNotForProduction,
                """
                memory.kms-provider.type: "dummy" keeps the wrapping key in the file \(path); name a key management \
                service, or say environment = "development"
                """)
        }
        let made = try Self.make(path)
        key = try WrappingKey(contentsOf: path, provider: "dummy")
        let file = LogValue.public(path, because: "the administrator named this path in the settings")
        log.warning("****************************************************************")
        log.warning("THE DUMMY KMS IS IN USE: NOT FOR PRODUCTION", ["file": file, "made": .flag(made)])
        log.warning("whoever reads its key file can open every key in the database")
        log.warning("****************************************************************")
    }

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        try key.wrap(secret, associatedData: associatedData)
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        guard key.fits(wrapped) else {
            throw KMSError(
                .kmsKeyUnusable,
                "wrapped with the key \(wrapped.key) version \(wrapped.version), the file holds \(key.id) version 1"
            )
        }
        return try key.unwrap(wrapped, associatedData: associatedData)
    }

    /// The file was read; there is nothing more to ask.
    public func checkHealth() async throws {}

    /// Makes the file unless it is there; whether it was made. It gets its name when its content is on the disk, so a
    /// crash leaves no half of a key, and of two programs that start at once one makes it.
    private static func make(_ path: String) throws -> Bool {
        guard unsafe access(path, F_OK) != 0 else { return false }
        let draft = path + "." + Hex.encode(try Random.bytes(8))
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw fault(path, "could not be made") }
        defer {
            close(file)
            unsafe _ = unlink(draft)
        }
        let fresh = try Random.secret(AESGCM.keyCount)
        let written = unsafe fresh.bytes.withUnsafeBufferPointer {
            unsafe write(file, $0.baseAddress, $0.count)
        }
        guard written == AESGCM.keyCount, fsync(file) == 0 else { throw fault(path, "could not be written") }
        guard unsafe link(draft, path) == 0 else {
            if errno == EEXIST { return false }
            throw fault(path, "could not be made")
        }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let place = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if place >= 0 {
            fsync(place)
            close(place)
        }
        return true
    }

    private static func fault(_ path: String, _ what: String) -> KMSError {
        KMSError(.kmsKeyUnusable, "\(path) \(what): \(unsafe String(cString: strerror(errno)))")
    }
}
