// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Kernel modules and EFI images out of Debian's packages, fetched once for each checkout.
public enum DebianFiles {
    public static let folder = Repository.path(".build")

    /// Modules of Debian's kernel, as it signed them; not more than `limit`.
    public static func modules(_ limit: Int = 1) throws -> [String] {
        try fetch("modules", modulesScript)
        return try Command.check(["find", folder + "/modules", "-name", "*.ko"]).text
            .split(separator: "\n").map(String.init).sorted().prefix(limit).map { $0 }
    }

    /// systemd-boot, shim, grub and a kernel, several of them signed by their vendors.
    public static func images() throws -> [String] {
        try fetch("images", imagesScript)
        // The kernel comes with the modules.
        try fetch("modules", modulesScript)
        let names = ["(", "-name", "*.efi", "-o", "-name", "*.efi.stub", "-o", "-name", "*.efi.signed"]
        let all = try Command.check(
            ["find", folder + "/images", folder + "/modules/tree/boot"] + names + [
                "-o", "-name", "vmlinuz*", ")",
            ]
        ).text.split(separator: "\n").map(String.init).sorted()
        // The large ones are much alike.
        return Trials.areFull ? all : all.filter { !$0.contains("/grub/") || $0.hasSuffix("/grubx64.efi") }
    }

    private static func fetch(_ name: String, _ script: String) throws {
        let place = folder + "/" + name
        guard !FileManager.default.fileExists(atPath: place + "/done") else { return }
        try Command.check(["sh", "-c", script, place])
    }

    private static let modulesScript = """
        set -e
        mkdir -p "$0"
        cd "$0"
        package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \\(linux-image-.*\\)/\\1/p' | head -n 1)
        apt-get -o APT::Sandbox::User=root download "$package"
        dpkg -x linux-image-*.deb tree
        rm linux-image-*.deb
        touch done
        """

    private static let imagesScript = """
        set -e
        mkdir -p "$0"
        cd "$0"
        apt-get -o APT::Sandbox::User=root download systemd-boot-efi shim-unsigned grub-efi-amd64-bin shim-signed \\
            grub-efi-amd64-signed
        for package in *.deb; do dpkg -x "$package" tree; done
        rm ./*.deb
        touch done
        """
}
