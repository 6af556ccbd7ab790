internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// A small file of `/proc`, whole.
enum FileContents {
    /// - Throws: `Errno` of open(2) or read(2); `.fileTooLarge` beyond 1 MiB.
    static func read(_ path: String) throws(Errno) -> [UInt8] {
        let file = Descriptor(owning: try check(unsafe linux_open(path, 0, 0)))
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20 {
            var failure: Errno?
            let before = bytes.count
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
                do throws(Errno) {
                    count = try check(unsafe linux_read(file.raw, buffer.baseAddress, buffer.count))
                } catch {
                    failure = error
                    count = 0
                }
            }
            if let failure { throw failure }
            bytes += piece
            if bytes.count == before { return bytes }
        }
        throw .fileTooLarge
    }
}
