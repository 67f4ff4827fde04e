// SPDX-License-Identifier: Apache-2.0

// A process of its own for the tests of Secrets and Cryptography: what they look at (its memory, its crash, its limits)
// belongs to a whole process. Prints `name value` lines.

internal import Glibc
internal import MemoryScan

let arguments = Array(CommandLine.arguments.dropFirst())

/// Opened before anything is hardened.
func ownMemory() -> ProcessMemory {
    do { return try ProcessMemory() } catch { fatalError("\(error)") }
}

func main() -> Int32 {
    switch arguments.first {
    case "scan" where arguments.count == 3: return scan(masked: arguments[1], file: arguments[2])
    case "crash" where arguments.count == 4:
        return crash(masked: arguments[1], kind: arguments[2], hardened: arguments[3] == "hardened")
    case "harden": return harden(Array(arguments.dropFirst()))
    case "generated-key" where arguments.count == 3:
        return generatedKey(algorithm: arguments[1], hardened: arguments[2] == "hardened")
    case "keys" where arguments.count > 4:
        return keys(
            file: arguments[1], passphrase: arguments[2], hardened: arguments[3] == "hardened",
            masked: Array(arguments[4...]))
    default: return 64
    }
}

exit(main())
