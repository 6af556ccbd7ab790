internal import CLinux

/// The answer to a command, a line at a time: a pipe's reader sees each as it happens, which `print` would only do for a
/// terminal.
enum StandardOutput {
    static func write(_ line: String) {
        var bytes = Array((line + "\n").utf8)
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe linux_write(1, buffer.baseAddress, buffer.count)
            }
            // Nobody reads any more (or the disk is full): there is nobody to tell.
            if written <= 0 { return }
            bytes.removeFirst(Int(written))
        }
    }
}
