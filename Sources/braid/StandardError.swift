internal import CLinux

/// Lines for people that are not the answer.
enum StandardError {
    static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            // Nobody is left to tell when standard error itself is gone.
            _ = unsafe linux_write(2, buffer.baseAddress, buffer.count)
        }
    }
}
