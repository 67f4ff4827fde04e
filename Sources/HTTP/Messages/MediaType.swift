// SPDX-License-Identifier: Apache-2.0

/// Media types in Content-Type and Accept (RFC 9110 sections 8.3 and 12.5.1).
enum MediaType {
    /// The type without parameters, in lower case.
    static func essence(_ text: String) -> String { trim(text.prefix { $0 != ";" }).lowercased() }

    /// Whether some of `types` is acceptable; for each the most specific range decides.
    static func accepts(anyOf types: [String], _ accept: [String]) -> Bool {
        let ranges = accept.flatMap { $0.split(separator: ",") }.compactMap(range)
        guard !ranges.isEmpty else { return true }
        return types.contains { type in
            let general = type.prefix { $0 != "/" } + "/*"
            for name in [type, String(general), "*/*"] {
                if let range = ranges.first(where: { $0.name == name }) { return range.isWanted }
            }
            return false
        }
    }

    private static func range(_ text: Substring) -> (name: String, isWanted: Bool)? {
        let parts = text.split(separator: ";").map { trim($0).lowercased() }
        guard let name = parts.first, name.contains("/") else { return nil }
        let quality = parts.dropFirst().first { $0.hasPrefix("q=") }
        return (name, quality.map { !isZero($0.dropFirst(2)) } ?? true)
    }

    private static func isZero(_ quality: Substring) -> Bool {
        quality.first == "0" && quality.allSatisfy { $0 == "0" || $0 == "." }
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
