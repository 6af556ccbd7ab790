internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Small files of `/proc`, `/etc` and `/run`, and names in directories.
enum SystemFile {
    /// The whole text; `nil` when it is not there or may not be read. At most 1 MiB.
    static func text(_ path: String) -> String? {
        guard let answer = try? check(unsafe linux_open(path, 0, 0)) else { return nil }
        let file = Descriptor(owning: answer)
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20 {
            var failed = false
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
                let got = unsafe linux_read(file.raw, buffer.baseAddress, buffer.count)
                failed = got < 0
                count = max(0, Int(got))
            }
            if failed { return nil }
            if piece.isEmpty { break }
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text without white space around it.
    static func line(_ path: String) -> String? {
        guard let text = text(path) else { return nil }
        let trimmed = text.drop { $0.isWhitespace }
        return String(trimmed.reversed().drop { $0.isWhitespace }.reversed())
    }
}
