internal import CLinux
internal import SystemPackage

/// Files that only their owner (and, if they are there already, those whom it lets) may read.
enum SecretFile {
    /// Writes a file as a whole: whoever reads it meanwhile sees the old one or the new one.
    ///
    /// - Parameter replacing: whether one that is there is replaced, which keeps its mode and owner.
    /// - Returns: why it was not written, or `nil`.
    static func write(_ text: String, to path: String, replacing: Bool) -> Errno? {
        let answer = unsafe linux_write_secret(path, text, text.utf8.count, replacing ? 1 : 0)
        return answer < 0 ? Errno(rawValue: -answer) : nil
    }
}
