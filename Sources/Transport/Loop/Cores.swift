// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// How many cores this process may use.
public enum Cores {
    /// The smaller of the affinity mask and the quota of the control group (version 2), at least one.
    public static var available: Int {
        let quotas = quotaFiles(cgroup: text("/proc/self/cgroup")).compactMap { quota(cpuMax: text($0)) }
        return max(1, min(affinity, quotas.min() ?? .max))
    }

    static var affinity: Int {
        var mask = cpu_set_t()
        guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &mask) == 0 else { return 1 }
        return unsafe Int(shim_CPU_COUNT(&mask))
    }

    /// The cpu.max files of the process's group and of all groups above it. `cgroup` is the text of /proc/self/cgroup,
    /// whose line for version 2 reads `0::/path`.
    static func quotaFiles(cgroup: String) -> [String] {
        guard let line = cgroup.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
            return []
        }
        var folder = "/sys/fs/cgroup"
        var files = [folder + "/cpu.max"]
        for part in line.dropFirst(4).split(separator: "/") {
            folder += "/" + part
            files.append(folder + "/cpu.max")
        }
        return files
    }

    /// Whole cores, rounded up, of a file that reads `QUOTA PERIOD` or `max PERIOD`.
    static func quota(cpuMax: String) -> Int? {
        let fields = cpuMax.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]), quota > 0,
            period > 0
        else { return nil }
        return (quota - 1) / period + 1
    }

    /// A small file of the kernel; empty when it cannot be read.
    private static func text(_ path: String) -> String {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return "" }
        let file = Descriptor(owning: number)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = unsafe max(0, read(file.number, buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
