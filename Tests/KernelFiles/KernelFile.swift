import Glibc

/// Files of /proc and /sys. Foundation's `String(contentsOfFile:)` takes the first read of them, at most a page or so,
/// for the whole.
public enum KernelFile {
    /// All that the file says; `nil` when it cannot be read.
    public static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = read(descriptor, &buffer, buffer.count)
            if got < 0 { return nil }
            if got == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<got]
        }
    }
}
