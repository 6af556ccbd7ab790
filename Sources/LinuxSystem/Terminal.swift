internal import CLinux
public import SystemPackage

/// The terminal on standard input and output. termios(3), ioctl_tty(2).
public enum Terminal {
    /// Whether both are a terminal.
    public static var isThere: Bool { linux_is_terminal(0) && linux_is_terminal(1) }

    /// Takes keys one at a time and unseen, until ``restore()``.
    public static func takeKeys() throws(Errno) {
        _ = try check(linux_terminal_raw(0))
    }

    /// Sets what was set before.
    public static func restore() {
        linux_terminal_restore(0)
    }

    /// Columns and rows.
    public static func size() throws(Errno) -> (columns: Int, rows: Int) {
        var columns: CInt = 0
        var rows: CInt = 0
        _ = try check(unsafe linux_terminal_size(1, &columns, &rows))
        return (Int(columns), Int(rows))
    }

    /// Stops this process, as Ctrl-Z does, until somebody continues it.
    public static func stop() { linux_stop_myself() }

    /// Writes all of a text to standard output; what nobody reads is lost.
    public static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe linux_write(1, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            bytes = bytes.dropFirst(Int(count))
        }
    }

    /// The keys that were pressed, as they come; empty at the end of input.
    public static func keys() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe linux_read(0, $0.baseAddress, $0.count) }
        return count <= 0 ? [] : Array(buffer[..<Int(count)])
    }
}
