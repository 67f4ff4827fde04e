// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MariaDB

@Suite struct SQLScriptTests {
    @Test(arguments: [
        ("one", "SELECT 1", ["SELECT 1"]),
        ("two", "SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("nothing", " ;; \n; ", []),
        ("only a comment", "-- nothing\n# here\n/* at all; */", []),
        ("comments around", "-- a;\nSELECT 1 -- b;\n;/* c; */ SELECT 2 /* d */", ["SELECT 1", "SELECT 2"]),
        ("a comment inside", "SELECT /* ; */ 1", ["SELECT /* ; */ 1"]),
        ("two minus signs", "SELECT 5--1; SELECT 2", ["SELECT 5--1", "SELECT 2"]),
        ("dashes at the end", "SELECT 1; --", ["SELECT 1"]),
        ("a semicolon in a string", "SELECT ';', \";\", `;`", ["SELECT ';', \";\", `;`"]),
        ("a doubled quote", "SELECT 'it''s; fine'; SELECT 2", ["SELECT 'it''s; fine'", "SELECT 2"]),
        ("an escaped quote", #"SELECT 'a\'; b\\'; SELECT 2"#, [#"SELECT 'a\'; b\\'"#, "SELECT 2"]),
        ("a backslash in a name", #"SELECT `a\`; SELECT 2"#, [#"SELECT `a\`"#, "SELECT 2"]),
        ("comment signs in strings", "SELECT '-- /* #'; SELECT 2", ["SELECT '-- /* #'", "SELECT 2"]),
        ("unicode", "SELECT 'ü;' AS é; SELECT 2", ["SELECT 'ü;' AS é", "SELECT 2"]),
        (
            "a trigger of one statement",
            "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW SIGNAL SQLSTATE '45000'; SELECT 2",
            ["CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW SIGNAL SQLSTATE '45000'", "SELECT 2"]
        ),
        (
            "a column called begin", "CREATE TABLE t (`begin` INT, loop_count INT)",
            [
                "CREATE TABLE t (`begin` INT, loop_count INT)"
            ]
        ),
    ])
    func splits(_ name: String, _ text: String, _ statements: [String]) throws {
        let script = try SQLScript(Array(text.utf8), name: "0001_x.up.sql")
        #expect(script.statements.map(\.text) == statements)
    }

    @Test func knowsLinesAndWhatTakesPartInATransaction() throws {
        let text =
            "-- head\nCREATE TABLE a (b INT\n);\n\ninsert into a values ('\n;');\n/*\n*/ UPDATE a SET b = 1;"
        let script = try SQLScript(Array(text.utf8), name: "x")
        #expect(script.statements.map(\.line) == [2, 5, 8])
        #expect(script.statements.map(\.isTransactional) == [false, true, true])
    }

    @Test(arguments: [
        ("an open string", "SELECT 1;\nSELECT 'a", "x.sql:2: a string without end"),
        ("an open escape", "SELECT 'a\\", "x.sql:1: a string without end"),
        ("an open name", "SELECT `a", "without end"),
        ("an open comment", "SELECT 1;\n\n/* a", "x.sql:3: a comment without end"),
        ("a comment for one server", "/*!50000 SELECT 1 */", "only some servers"),
        ("a comment for the other", "/*M! SELECT 1 */", "only some servers"),
        ("a delimiter", "DELIMITER //\nSELECT 1//", "DELIMITER"),
        ("a transaction", "SELECT 1;\nSTART TRANSACTION", "x.sql:2: START belongs to the runner"),
        ("a commit", "commit", "COMMIT belongs to the runner"),
        ("a setting", "SET sql_mode = ''", "SET belongs to the runner"),
        ("another database", "USE other", "USE belongs to the runner"),
        (
            "a body of several statements",
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; END", "body of several"
        ),
        (
            "a body of an if",
            "CREATE PROCEDURE p() IF 1 THEN SELECT 1; END IF", "body of several"
        ),
        ("a NUL", "SELECT '\0'", "not UTF-8 text"),
        ("a run of dashes", "SELECT 1 ----\n", "ends in --"),
        ("dashes before the end", "SELECT 1 --;", "ends in --"),
        ("no words", "();", "no SQL statement"),
    ])
    func refuses(_ name: String, _ text: String, _ words: String) {
        let error = #expect(throws: MigrationError.self) { try SQLScript(Array(text.utf8), name: "x.sql") }
        #expect(error?.message.contains(words) == true, "\(error as Any)")
    }

    @Test func refusesWhatIsNotText() {
        #expect(throws: MigrationError.self) { try SQLScript([0x53, 0xff], name: "x") }
        #expect(throws: MigrationError.self) {
            try SQLScript(Array(repeating: 0x20, count: SQLScript.limit + 1), name: "x")
        }
    }

    @Test(arguments: [
        ("0001_keyring.up.sql", 1, "keyring", MigrationFileName.Direction.up),
        ("0120_a_b2.down.sql", 120, "a_b2", .down),
    ])
    func readsFileNames(
        _ text: String, _ number: Int, _ name: String, _ direction: MigrationFileName.Direction
    )
        throws
    {
        let file = try #require(MigrationFileName(text))
        #expect(file.number == number)
        #expect(file.name == name)
        #expect(file.direction == direction)
        #expect(file.description == text)
    }

    @Test(arguments: [
        "0000_zero.up.sql", "001_short.up.sql", "00001_long.up.sql", "0001-dash.up.sql", "0001_.up.sql",
        "0001_Up.up.sql", "0001_1st.up.sql", "0001_a.sideways.sql", "0001_a.sql", "0001_a.up.sql~",
        "0001_a.up.SQL",
        "0001_a b.up.sql", "0001_a.b.up.sql", "+001_a.up.sql", "", "0001_ä.up.sql", "٠٠٠١_a.up.sql",
    ])
    func refusesOtherFileNames(_ text: String) {
        #expect(MigrationFileName(text) == nil)
    }
}
