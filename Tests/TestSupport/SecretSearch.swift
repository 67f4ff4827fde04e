// SPDX-License-Identifier: Apache-2.0

/// Looks for secrets in what a program wrote, in all the forms in which they may get there.
public enum SecretSearch {
    /// A line for each secret that is in one of the places; empty when there is none. A secret has 16 bytes or more.
    public static func findings(
        of secrets: [(name: String, bytes: [UInt8])], in places: [String: [UInt8]]
    ) throws -> String {
        let folder = try TemporaryFolder()
        var arguments = [Command.pythonPath, Repository.path("Tests/Python/secret_search.py")]
        for (number, place) in places.enumerated() {
            arguments += [try folder.write("\(number)", place.value), place.key]
        }
        let lines = secrets.map { secret in
            secret.name + "\t" + secret.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return try Command.check(arguments, input: Array(lines.joined(separator: "\n").utf8)).text
    }

    /// All files of a folder, by their paths in it; what vanishes meanwhile is left out.
    public static func files(of folder: String) throws -> [String: [UInt8]] {
        let list = try Command.check(["find", folder, "-type", "f", "-printf", "%P\\n"]).text
        var files: [String: [UInt8]] = [:]
        for name in list.split(separator: "\n") {
            let read = try? Command.check(["cat", folder + "/" + name])
            if let read { files[String(name)] = read.stdout }
        }
        return files
    }
}
