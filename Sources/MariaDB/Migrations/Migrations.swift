// SPDX-License-Identifier: Apache-2.0

/// One step of the schema, there and back.
public struct Migration: Hashable, Sendable {
    public let number: Int
    public let name: String
    public let up: SQLScript
    public let down: SQLScript

    /// Like `0001_keyring`.
    public var label: String { "\(MigrationFileName.padded(number))_\(name)" }

    func script(_ direction: MigrationFileName.Direction) -> SQLScript { direction == .up ? up : down }
    func file(_ direction: MigrationFileName.Direction) -> String { "\(label).\(direction.rawValue).sql" }
}

/// The migrations of a folder: numbered from 1 without gap, each with both halves.
public struct Migrations: Sendable {
    public let all: [Migration]

    /// `files` are names and contents. Names that do not end in `.sql` are of no interest.
    public init(files: [(name: String, contents: [UInt8])], folder: String) throws(MigrationError) {
        var halves: [MigrationFileName: [UInt8]] = [:]
        var names: [Int: String] = [:]
        for (text, contents) in files.sorted(by: { $0.name < $1.name }) where text.hasSuffix(".sql") {
            guard let file = MigrationFileName(text) else {
                throw .invalid(
                    "\(folder)/\(text): a migration is called NNNN_name.up.sql or NNNN_name.down.sql")
            }
            if let other = names[file.number], other != file.name {
                throw .invalid(
                    "\(folder)/\(text): number \(file.number) is taken by \(other); give one of them the next number"
                )
            }
            names[file.number] = file.name
            halves[file] = contents
        }
        var all: [Migration] = []
        for number in names.keys.sorted() {
            guard number == all.count + 1, let name = names[number] else {
                throw .invalid(
                    """
                    \(folder): migration \(MigrationFileName.padded(all.count + 1)) is missing, the next is \
                    \(MigrationFileName.padded(number)); put the file back or renumber those that are not released
                    """)
            }
            let label = "\(MigrationFileName.padded(number))_\(name)"
            all.append(
                Migration(
                    number: number, name: name, up: try Self.script("\(label).up.sql", halves, folder),
                    down: try Self.script("\(label).down.sql", halves, folder)))
        }
        self.all = all
    }

    private static func script(_ text: String, _ halves: [MigrationFileName: [UInt8]], _ folder: String)
        throws(MigrationError) -> SQLScript
    {
        guard let file = MigrationFileName(text), let contents = halves[file] else {
            throw .invalid("\(folder)/\(text) is missing: every migration needs both halves")
        }
        let script = try SQLScript(contents, name: "\(folder)/\(text)")
        guard !script.statements.isEmpty else { throw .invalid("\(folder)/\(text) holds no statement") }
        return script
    }
}
