// SPDX-License-Identifier: Apache-2.0

internal import MariaDB

let mariaDBTargets: [FuzzTarget] = [
    FuzzTarget("sql-script") { input in
        guard let script = try? SQLScript(input, name: "fuzz.sql") else { return }
        for statement in script.statements {
            let again: SQLScript
            do {
                again = try SQLScript(Array(statement.text.utf8), name: "again.sql")
            } catch { throw BrokenPromise("a statement of an accepted script is refused alone: \(error)") }
            guard again.statements.map(\.text) == [statement.text],
                again.statements.first?.isTransactional == statement.isTransactional
            else { throw BrokenPromise("a statement splits again: \(statement.text)") }
        }
        let whole = script.statements.map(\.text).joined(separator: "\n;\n")
        guard
            try SQLScript(Array(whole.utf8), name: "whole.sql").statements.map(\.text)
                == script.statements.map(\.text)
        else { throw BrokenPromise("the statements put together split otherwise") }
    },
    FuzzTarget("migration-name") { input in
        guard let text = String(validating: input, as: UTF8.self), let name = MigrationFileName(text) else {
            return
        }
        guard name.description == text else { throw BrokenPromise("\(text) is written \(name)") }
    },
]
