// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Who may read or write a file.
///
/// ```
/// list  = version *entry        ; the extended attribute system.posix_acl_access, little endian
/// version = %x02.00.00.00
/// entry = tag[2] rights[2] id[4]
/// tag   = 1 owner / 2 user / 4 group of the file / 8 group / 16 mask / 32 others
/// rights = 4 read + 2 write + 1 execute
/// ```
///
/// Where there is a list, the group's bits of the mode are its mask and say nothing about the group.
struct SecretFileAccess {
    var owner: UInt32
    var mode: UInt32
    var list: [UInt8]?

    /// Why the file is open to others than `user` and root; `nil` when it is not.
    func exposure(to user: UInt32) -> String? {
        guard owner == user || owner == 0 else {
            return "belongs to user \(owner), not to user \(user) or root; change its owner: chown"
        }
        guard let list else {
            guard mode & 0o066 == 0 else {
                return
                    "may be read or written by others (mode \(Self.octal(mode))); make it private: chmod 0600"
            }
            return nil
        }
        guard let open = try? opensToOthers(list, user: user) else {
            return "has an access list that cannot be understood; remove it: setfacl -b"
        }
        return open ? "may be read or written by others through its access list; remove it: setfacl -b" : nil
    }

    private func opensToOthers(_ list: [UInt8], user: UInt32) throws -> Bool {
        var reader = ByteReader(list.span)
        guard try reader.readUInt32(.little) == 2 else { throw BytesError(.notCanonical, at: 0) }
        var masked: UInt16 = 0
        var others: UInt16 = 0
        var mask: UInt16 = 7
        while !reader.isAtEnd {
            let tag = try reader.readUInt16(.little)
            let rights = try reader.readUInt16(.little)
            let id = try reader.readUInt32(.little)
            switch tag {
            case 1: continue
            case 2: if id != user, id != 0 { masked |= rights }
            case 4, 8: masked |= rights
            case 16: mask = rights
            case 32: others |= rights
            default: throw BytesError(.notCanonical, at: reader.offset)
            }
        }
        return (masked & mask | others) & 6 != 0
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
