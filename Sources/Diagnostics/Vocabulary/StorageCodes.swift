// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let schemaMismatch = ErrorCode(
        "schema-mismatch", .configuration,
        cause: "The database's schema is not one that this release of the program takes.",
        remedy: "Migrate the schema with `control-admin migrate`, or install the release that fits it.")

    static let ofStorage: [ErrorCode] = [schemaMismatch]
}
