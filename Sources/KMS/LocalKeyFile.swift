// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
public import Diagnostics
internal import Glibc
public import Keyring
public import Secrets

/// The provider `dummy`: a wrapping key of 32 random bytes in a file, made at the first start and readable for its owner
/// alone. Whoever can read the file can open every key in the database, so it is refused in production.
///
/// ```
/// ciphertext = nonce sealed      ; 12 bytes, and AES-256-GCM with its tag of 16
/// key        = "dummy-" 16HEXDIG ; from the SHA-256 of the wrapping key, so that another file is noticed
/// ```
public final class LocalKeyFile: KeyWrapping {
    public let provider = "dummy"
    private let secret: SecretBytes
    private let key: String
    private static let version = "1"

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
        secret = try SecretBytes(contentsOf: path, limit: AESGCM.keyCount)
        guard secret.count == AESGCM.keyCount else {
            throw KMSError(
                .kmsKeyUnusable, "\(path) has \(secret.count) bytes, a wrapping key has \(AESGCM.keyCount)")
        }
        key = "dummy-" + Hex.encode(Array(Self.digest(of: secret).bytes.prefix(8)))
        let file = LogValue.public(path, because: "the administrator named this path in the settings")
        log.warning("****************************************************************")
        log.warning("THE DUMMY KMS IS IN USE: NOT FOR PRODUCTION", ["file": file, "made": .flag(made)])
        log.warning("whoever reads its key file can open every key in the database")
        log.warning("****************************************************************")
    }

    private static func digest(of secret: borrowing SecretBytes) -> Digest {
        Digest(hashing: secret.bytes, with: .sha256)
    }

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let nonce = try Random.bytes(AESGCM.nonceCount)
        let bound = bind(associatedData, version: Self.version)
        let sealed = try AESGCM.seal(
            secret.bytes, key: self.secret, nonce: nonce.span, associatedData: bound.span)
        return WrappedSecret(key: key, version: Self.version, ciphertext: nonce + sealed)
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        guard wrapped.key == key, wrapped.version == Self.version else {
            throw KMSError(
                .kmsKeyUnusable,
                "wrapped with the key \(wrapped.key) version \(wrapped.version), the file holds \(key) version 1"
            )
        }
        guard wrapped.ciphertext.count <= WrappedSecret.largest,
            wrapped.ciphertext.count > AESGCM.nonceCount + AESGCM.tagCount
        else { throw KMSError(.kmsRefused, "a wrapped key of \(wrapped.ciphertext.count) bytes") }
        let nonce = Array(wrapped.ciphertext[..<AESGCM.nonceCount])
        let sealed = Array(wrapped.ciphertext[AESGCM.nonceCount...])
        let bound = bind(associatedData, version: wrapped.version)
        do {
            return try AESGCM.open(sealed.span, key: secret, nonce: nonce.span, associatedData: bound.span)
        } catch let error as CryptographyError where error.code == .notAuthentic {
            throw KMSError(.kmsRefused, "the wrapped key was changed, or belongs to something else")
        }
    }

    /// The file was read; there is nothing more to ask.
    public func checkHealth() async throws {}

    private func bind(_ associatedData: [UInt8], version: String) -> [UInt8] {
        Array("signet dummy kms \(key) \(version)\n".utf8) + associatedData
    }

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
