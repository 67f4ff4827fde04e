// SPDX-License-Identifier: Apache-2.0

/// Python's modules for `proto/signet/v1/signing.proto`, made by grpcio-tools in a folder of their own.
public final class PythonStubs: Sendable {
    private let folder: TemporaryFolder
    /// For `sys.path`.
    public var path: String { folder.path }

    public init() throws {
        folder = try TemporaryFolder()
        try Command.check([
            Command.pythonPath, "-m", "grpc_tools.protoc", "-I", Repository.path("proto"),
            "--python_out=\(folder.path)", "--grpc_python_out=\(folder.path)", "signet/v1/signing.proto",
        ])
    }
}
