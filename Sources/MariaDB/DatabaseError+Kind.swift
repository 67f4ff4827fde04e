// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

extension DatabaseError {
    /// What callers decide by.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// No server answered, or the answer was no MariaDB handshake.
        case cannotConnect
        /// A connection that was there broke.
        case connectionLost
        /// The server has no connection left for us.
        case tooManyConnections
        /// The node of a cluster does not take statements at present.
        case notReady
        case denied
        case tls
        case readOnly
        case duplicateKey
        case foreignKey
        /// Too long, out of range, null where it may not be, or against a check.
        case badValue
        case deadlock
        case lockWait
        /// The server ended the statement at its time limit, or we did.
        case deadline
        /// Syntax, unknown tables or columns, wrong number of parameters, a result that does not fit.
        case badStatement
        /// A row holds what no program writes there, such as a zero date.
        case badRow
        case tooLarge
        /// `SIGNAL SQLSTATE '45000'` of a trigger.
        case signalled
        /// COMMIT was sent and its answer is lost.
        case commitUnknown
        /// All connections are in use and the line is full, or the wait in it took too long.
        case poolExhausted
        case poolClosed
        /// The system gives this process no more threads.
        case noThread
        case settings
        case other
    }
}

extension DatabaseError.Kind {
    /// Whether a new run of the whole transaction may succeed; the old one was rolled back for certain.
    public var isTransient: Bool {
        switch self {
        case .deadlock, .lockWait, .notReady: true
        default: false
        }
    }

    /// Whether the connection is of no more use after this.
    var breaksConnection: Bool {
        switch self {
        case .cannotConnect, .connectionLost, .tooManyConnections, .notReady, .tls, .readOnly, .commitUnknown:
            true
        default: false
        }
    }

    /// Whether asking a server again later can help when connecting failed so.
    var mayPass: Bool {
        switch self {
        case .denied, .settings, .badStatement: false
        default: true
        }
    }

    /// Whether the server's own words may hold values of rows or parameters.
    var mayQuoteValues: Bool {
        switch self {
        case .duplicateKey, .foreignKey, .badValue, .other: true
        default: false
        }
    }

    var summary: String {
        switch self {
        case .duplicateKey: "a row with this key exists"
        case .foreignKey: "other rows depend on this one, or it depends on a missing one"
        case .badValue: "a value does not fit its column"
        default: "the server refused the statement"
        }
    }

    var code: ErrorCode {
        switch self {
        case .cannotConnect, .connectionLost, .notReady: .databaseUnavailable
        case .tooManyConnections, .poolExhausted: .databaseBusy
        case .noThread: .systemCallFailed
        case .denied: .databaseDenied
        case .tls: .databaseTLS
        case .readOnly: .databaseReadOnly
        case .duplicateKey, .foreignKey: .databaseConflict
        case .badValue, .tooLarge: .databaseValue
        case .deadlock, .lockWait: .databaseContention
        case .deadline: .databaseDeadline
        case .badStatement, .signalled, .other: .databaseStatement
        case .badRow: .databaseRow
        case .commitUnknown: .databaseCommitUnknown
        case .poolClosed: .databaseClosed
        case .settings: .databaseSettings
        }
    }

    /// Sorts by the error numbers of MariaDB and MySQL, and by the SQLSTATE where a number is new to us.
    init(number: Int, sqlState: String) {
        switch number {
        case 1062, 1169, 1586, 1859: self = .duplicateKey
        case 1216, 1217, 1451, 1452: self = .foreignKey
        case 1213: self = .deadlock
        case 1205: self = .lockWait
        case 1047: self = .notReady
        case 1040, 1203, 1226: self = .tooManyConnections
        case 1044, 1045, 1049, 1130, 1142, 1143, 1227, 1251, 1370, 1524, 1698, 2059, 3118: self = .denied
        case 1290, 1792, 1836: self = .readOnly
        case 1317, 1969, 3024: self = .deadline
        case 1048, 1264, 1265, 1292, 1364, 1366, 1406, 3819, 4025: self = .badValue
        case 1153, 2020: self = .tooLarge
        case 1644: self = .signalled
        case 2002, 2003, 2005, 2009: self = .cannotConnect
        case 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 4031: self = .connectionLost
        case 2026: self = .tls
        default: self = Self.bySQLState(sqlState)
        }
    }

    private static func bySQLState(_ state: String) -> Self {
        switch state.prefix(2) {
        case "08": .connectionLost
        case "22": .badValue
        case "23": .foreignKey
        case "28": .denied
        case "40": .deadlock
        case "42", "21": .badStatement
        case "45": .signalled
        case "70": .deadline
        default: .other
        }
    }
}
