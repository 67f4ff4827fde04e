// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    /// The whole vocabulary, room by room.
    public static let all: [ErrorCode] = [
        general,
        ofArtifacts,
        ofCryptography,
        ofKeyImport,
        ofCertificates,
        ofSecrets,
        ofSettings,
        ofMariaDB,
        ofTransport,
        ofSignatures,
        ofHTTP2,
        ofHTTP,
        ofSigningProtocol,
        ofDataService,
        ofKeyring,
        ofVerification,
        ofKMS,
        ofStorage,
        ofControlService,
    ].flatMap { $0 }
}
