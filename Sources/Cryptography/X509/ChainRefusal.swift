// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
public import Diagnostics

/// Why a chain of certificates was refused: which certificate, and what is wrong with it.
public struct ChainRefusal: CodedError, Hashable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        case expired
        case notYetValid
        case unknownRoot
        case missingIssuer
        case badSignature
        case weakSignature
        case weakKey
        case wrongPurpose
        case notAnAuthority
        case pathTooLong
        case nameNotPermitted
        case unknownCriticalExtension
        case revoked
        case noRevocationList
        case revocationListExpired
        case breaksRules
    }

    public let reason: Reason
    /// How far from the leaf the certificate stands, which is 0.
    public let depth: Int
    /// Its subject.
    public let subject: String
    /// What the library says of it.
    public let detail: String

    public var code: ErrorCode { .certificateRefused }
    public var message: String {
        let place = depth == 0 ? "the certificate" : "the issuer at depth \(depth)"
        return "\(place), \(subject.isEmpty ? "without a name" : subject): \(detail)"
    }
    public var description: String { message }

    init(_ reason: Reason, depth: Int, subject: String, detail: String) {
        self.reason = reason
        self.depth = depth
        self.subject = subject
        self.detail = detail
    }
}

extension ChainRefusal.Reason {
    init(verification code: Int32) {
        self =
            switch code {
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .unknownRoot
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
                .missingIssuer
            case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH: .badSignature
            case X509_V_ERR_CA_MD_TOO_WEAK: .weakSignature
            case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL: .weakKey
            case X509_V_ERR_INVALID_PURPOSE: .wrongPurpose
            case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_NON_CA:
                .notAnAuthority
            case X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_CERT_CHAIN_TOO_LONG: .pathTooLong
            case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION,
                X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
                X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, X509_V_ERR_SUBTREE_MINMAX:
                .nameNotPermitted
            case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: .unknownCriticalExtension
            case X509_V_ERR_CERT_REVOKED: .revoked
            case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER: .noRevocationList
            case X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_NOT_YET_VALID: .revocationListExpired
            default: .breaksRules
            }
    }
}
