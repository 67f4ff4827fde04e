// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// How a program speaks on its descriptors, and with what code it ends.
public enum ProgramEnd {
    /// Writes text to standard output.
    public static func print(_ text: String) { write(text, to: 1) }

    /// Tells an error on standard error, with what to do about it, and returns the exit code.
    public static func tell(_ error: any Error, of program: String) -> Int32 {
        guard let coded = error as? any CodedError else {
            write("\(program): \(ErrorCode.internalError.cause)\n", to: 2)
            return ErrorCode.internalError.category.exit
        }
        write("\(program): \(coded.message)\n", to: 2)
        if !coded.message.contains(coded.code.remedy) { write("\(coded.code.remedy)\n", to: 2) }
        return coded.code.category.exit
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            done += count
        }
    }

    /// The variables of the process.
    public static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe next += 1
        }
        return variables
    }
}
