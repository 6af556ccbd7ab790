internal import CLinux

/// Whole lines to standard output or error, written at once: a pipe's reader sees each as it happens, which `print` would
/// only do on a terminal.
public enum StandardStream: CInt, Sendable {
    case output = 1
    case error = 2

    /// Writes a line. What cannot be written is lost: there is nobody left to tell.
    public func line(_ text: String) {
        var bytes = Array(text.utf8) + [UInt8(ascii: "\n")]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe linux_write(rawValue, buffer.baseAddress, buffer.count)
            }
            if written <= 0 { return }
            bytes.removeFirst(Int(written))
        }
    }
}
