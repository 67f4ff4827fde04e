// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import HTTP
public import MariaDB

extension Router {
    /// `/livez`, `/readyz` and `/metrics`, for an address of their own.
    public static func status(_ readiness: Readiness, _ metrics: Metrics) -> Router {
        StatusPages(readiness: readiness, metrics: metrics).router
    }
}

extension Metrics {
    /// What the pool of database connections does.
    public func declare(_ pool: DatabasePool) {
        gauge("signet_database_connections", help: "Connections to the database.") {
            Double(pool.statistics.connections)
        }
        gauge("signet_database_waiting", help: "Jobs that wait for a connection.") {
            Double(pool.statistics.waiting)
        }
        counter("signet_database_jobs_total", help: "Jobs that connections did.") {
            UInt64(clamping: pool.statistics.served)
        }
        counter("signet_database_retries_total", help: "Transactions that ran again.") {
            UInt64(clamping: pool.statistics.retries)
        }
    }
}
