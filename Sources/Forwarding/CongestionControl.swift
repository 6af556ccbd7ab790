internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// A socket's congestion control, `TCP_CONGESTION`, tcp(7).
enum CongestionControl {
    static let rateBased = "bbr"

    /// The system's own choice for new sockets; reno, which every kernel has, when it cannot be read.
    static var systemDefault: String {
        let raw = linux_socket(CInt(LINUX_AF_INET), 0)
        guard raw >= 0 else { return "reno" }
        defer { linux_close(raw) }
        let found = name(raw)
        return found.isEmpty ? "reno" : found
    }

    /// Its name; empty when the kernel does not say.
    static func name(_ raw: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        var size = bytes.count
        let answer = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe linux_get_option_bytes(
                raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_CONGESTION), buffer.baseAddress, &size)
        }
        guard answer >= 0 else { return "" }
        return String(decoding: bytes.prefix(size).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Whether losses alone do not slow it down.
    static func isRateBased(_ raw: CInt) -> Bool { name(raw).hasPrefix(rateBased) }

    /// Sets it; on MPTCP it reaches every subflow.
    static func set(_ name: String, _ raw: CInt) throws(Errno) {
        let bytes = Array(name.utf8)
        let answer = unsafe bytes.withUnsafeBytes { buffer in
            unsafe linux_set_option_bytes(
                raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_CONGESTION), buffer.baseAddress, buffer.count)
        }
        _ = try check(answer)
    }
}
